import { useEffect, useState } from 'preact/hooks';
import { asProblem, at, call } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { moment, number, size } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { Failed, Loading } from '../parts/states.js';
import { toast } from '../store.js';
import { t } from '../words/words.js';

/** @typedef {{ version?: string, etag: string, bytes: number, modified: string, media_type: string, metadata: Record<string, string>, tags?: Record<string, string>, storage_class: string,
 *   checksum?: string, encryption?: string, retention?: { mode: 'governance' | 'compliance', until: string }, legal_hold?: boolean, ends?: string }} About */
/** @typedef {[string, string][]} Pairs */

/** What is known of an object, and can be set. @param {{ bucket: string, object: string, locks: boolean, close: () => void, changed: () => void }} props */
export function Details({ bucket, object, locks, close, changed }) {
  const [about, setAbout] = useState(/** @type {About | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const read = async () => {
    try {
      setAbout(await call('GET', `${at(bucket)}/about`, { query: { key: object } }));
      setProblem(null);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useEffect(() => {
    read();
  }, []);
  const done = async () => {
    toast('ok', t('saved'));
    changed();
    await read();
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('close')}</button>`;
  return html`<${Dialog} id="details" title=${t('details')} close=${close} footer=${footer}>
    <p><${Name} text=${object} /></p>
    ${problem
      ? html`<${Failed} problem=${problem} again=${read} />`
      : about === undefined
        ? html`<${Loading} />`
        : html`<${Facts} about=${about} />
            <${Headers} key=${`h${about.etag}${about.modified}`} bucket=${bucket} object=${object} about=${about} done=${done} />
            ${about.tags && html`<${TagsOf} key=${`t${JSON.stringify(about.tags)}`} bucket=${bucket} object=${object} tags=${about.tags} done=${done} />`}
            ${locks && html`<${Lock} key=${`l${about.retention?.until}${about.legal_hold}`} bucket=${bucket} object=${object} about=${about} done=${done} />`}`}
  <//>`;
}

/** @param {{ about: About }} props */
function Facts({ about }) {
  const fact = (/** @type {string} */ word, /** @type {any} */ value) => value && html`<div><dt>${t(word)}</dt><dd class="wrap">${value}</dd></div>`;
  return html`<dl class="facts plain">
    ${fact('size', html`<span title=${number(about.bytes)}>${size(about.bytes)}</span>`)}
    ${fact('modified', moment(about.modified))}
    ${fact('details.class', about.storage_class)}
    ${fact('details.encryption', about.encryption)}
    ${fact('details.ends', about.ends && moment(about.ends))}
    ${fact('details.checksum', about.checksum && html`<code>${about.checksum}</code>`)}
    ${fact('details.version', about.version && html`<code>${about.version}</code>`)}
  </dl>`;
}

/** Runs what a form does, and tells what came of it. @param {() => Promise<void>} done */
function useSaving(done) {
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  /** @param {() => Promise<any>} step */
  const save = async (step) => {
    setProblem(null);
    try {
      await step();
      await done();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const view = problem && html`<p class="wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`;
  return { save, view };
}

/**
 * Pairs of a name and a value, and one more to fill.
 * @param {{ id: string, pairs: Pairs, set: (pairs: Pairs) => void }} props
 */
function PairsOf({ id, pairs, set }) {
  /** @param {number} index @param {0 | 1} half @param {string} text */
  const put = (index, half, text) => {
    const next = pairs.map((pair) => /** @type {[string, string]} */ ([...pair]));
    const pair = next[index] ?? ['', ''];
    pair[half] = text;
    next[index] = pair;
    set(next.filter(([name, value]) => name !== '' || value !== ''));
  };
  return html`<div class="stack tight">
    ${[...pairs, ['', '']].map(
      ([name, value], index) => html`<div class="group" key=${index}>
        <input class="input code" value=${name} aria-label=${t('pair.name', { n: index + 1 })} autocomplete="off" spellcheck="false" id=${`${id}-${index}`} onInput=${(/** @type {any} */ event) => put(index, 0, event.currentTarget.value)} />
        <input class="input code" value=${value} aria-label=${t('pair.value', { n: index + 1 })} autocomplete="off" spellcheck="false" onInput=${(/** @type {any} */ event) => put(index, 1, event.currentTarget.value)} />
      </div>`,
    )}
  </div>`;
}

/** @param {{ bucket: string, object: string, about: About, done: () => Promise<void> }} props */
function Headers({ bucket, object, about, done }) {
  const [type, setType] = useState(about.media_type);
  const [pairs, setPairs] = useState(/** @type {Pairs} */ (Object.entries(about.metadata)));
  const { save, view } = useSaving(done);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const json = { key: object, etag: about.etag, media_type: type, metadata: Object.fromEntries(pairs) };
    save(() => call('PUT', `${at(bucket)}/metadata`, { json }));
  };
  return html`<details>
    <summary>${t('details.metadata')} · ${pairs.length}</summary>
    <form class="stack tight" onSubmit=${submit}>
      <div class="field"><label for="media-type">${t('details.type')}</label><input class="input code" id="media-type" value=${type} onInput=${(/** @type {any} */ event) => setType(event.currentTarget.value)} /></div>
      <p class="label">${t('details.metadata')}</p>
      <${PairsOf} id="metadata" pairs=${pairs} set=${setPairs} />
      <p class="hint">${t('details.metadata.hint')}</p>
      ${view}
      <div class="row end"><button type="submit" class="btn small primary">${t('save')}</button></div>
    </form>
  </details>`;
}

/** @param {{ bucket: string, object: string, tags: Record<string, string>, done: () => Promise<void> }} props */
function TagsOf({ bucket, object, tags, done }) {
  const [pairs, setPairs] = useState(/** @type {Pairs} */ (Object.entries(tags)));
  const { save, view } = useSaving(done);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    save(() => call('PUT', `${at(bucket)}/about`, { json: { key: object, tags: Object.fromEntries(pairs) } }));
  };
  return html`<details>
    <summary>${t('details.tags')} · ${Object.keys(tags).length}</summary>
    <form class="stack tight" onSubmit=${submit}>
      <${PairsOf} id="tags" pairs=${pairs} set=${setPairs} />
      <p class="hint">${t('details.tags.hint')}</p>
      ${view}
      <div class="row end"><button type="submit" class="btn small primary">${t('save')}</button></div>
    </form>
  </details>`;
}

/** @param {{ bucket: string, object: string, about: About, done: () => Promise<void> }} props */
function Lock({ bucket, object, about, done }) {
  const { save, view } = useSaving(done);
  const [until, setUntil] = useState('');
  const [mode, setMode] = useState(about.retention?.mode ?? 'governance');
  const set = (/** @type {object} */ json) => save(() => call('PUT', `${at(bucket)}/about`, { json: { key: object, ...json } }));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (until) set({ retention: { mode, until: new Date(`${until}T00:00:00`).toISOString() } });
  };
  const kept = about.retention && t(`lock.until.${about.retention.mode}`, { when: moment(about.retention.until) });
  return html`<details open=${Boolean(about.retention ?? about.legal_hold)}>
    <summary>${t('lock')}</summary>
    <form class="stack tight" onSubmit=${submit}>
      <p>${kept ?? t('lock.none')}</p>
      <label class="check"><input type="checkbox" checked=${about.legal_hold === true} onChange=${(/** @type {any} */ event) => set({ legal_hold: event.currentTarget.checked })} /><span>${t('lock.hold')}</span><span class="hint">${t('lock.hold.hint')}</span></label>
      <div class="field"><label for="lock-until">${t('lock.date')}</label><input class="input" id="lock-until" type="date" value=${until} onInput=${(/** @type {any} */ event) => setUntil(event.currentTarget.value)} /></div>
      <div class="field"><label for="lock-mode">${t('lock.mode')}</label>
        <select class="input" id="lock-mode" value=${mode} onChange=${(/** @type {any} */ event) => setMode(event.currentTarget.value)}><option value="governance">${t('lock.governance')}</option><option value="compliance">${t('lock.compliance')}</option></select>
        <p class="hint">${t('lock.hint')}</p></div>
      ${view}
      <div class="row end"><button type="submit" class="btn small primary" disabled=${!until}>${t('lock.set')}</button></div>
    </form>
  </details>`;
}
