import { useEffect, useState } from 'preact/hooks';
import { asProblem, at, call } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { Loading } from '../parts/states.js';
import { buckets, toast } from '../store.js';
import { t } from '../words/words.js';
import { keysBelow } from './below.js';
import { lastSegment } from './names.js';
import { useWork } from './work.js';

/** @typedef {import('./listing.js').Entry} Entry */

/** Folders that are shown to choose from. */
const FOLDERS_MAX = 200;

/**
 * Chooses where entries go, and has them go there.
 * @param {{ bucket: string, prefix: string, entries: Entry[], how: 'move' | 'copy', close: () => void, changed: () => void }} props
 */
export function Place({ bucket, prefix, entries, how, close, changed }) {
  const [to, setTo] = useState({ bucket, prefix });
  const [folders, setFolders] = useState(/** @type {string[] | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [replace, setReplace] = useState(false);
  const work = useWork();
  useEffect(() => {
    let over = false;
    setFolders(undefined);
    call('GET', `${at(to.bucket)}/entries`, { query: { prefix: to.prefix, limit: 1000 } })
      .then((page) => {
        if (over) return;
        setFolders(page.items.filter((/** @type {Entry} */ one) => one.folder).map((/** @type {Entry} */ one) => one.key));
        setProblem(null);
      })
      .catch((error) => {
        if (!over) setProblem(asProblem(error));
      });
    return () => {
      over = true;
    };
  }, [to.bucket, to.prefix]);
  const here = to.bucket === bucket && to.prefix === prefix;
  const inside = to.bucket === bucket && entries.some((entry) => entry.folder && to.prefix.startsWith(entry.key));
  const run = async () => {
    const done = await shift(work, { bucket, prefix, entries, how, replace, to });
    changed();
    if (done.problems === 0) {
      toast(how, t(how === 'move' ? 'moved' : 'copied', { n: done.count }));
      close();
    } else setProblem(done.first);
  };
  const up = to.prefix.replace(/[^/]*\/$/, '');
  const footer = html`<button type="button" class="btn" onClick=${work.busy ? work.stop : close}>${t('cancel')}</button>
    <button type="button" class="btn primary" disabled=${work.busy || here || inside} onClick=${run}>${t(how === 'move' ? 'move.here' : 'copy.here')}</button>`;
  return html`<${Dialog} id="place" title=${t(how)} close=${close} footer=${footer}>
    <p>${entries.length === 1 ? html`<${Name} text=${lastSegment(entries[0]?.key ?? '')} />` : t('entries.count', { n: entries.length })}</p>
    <div class="field">
      <label for="place-bucket">${t('bucket')}</label>
      <select class="input" id="place-bucket" value=${to.bucket} disabled=${work.busy} onChange=${(/** @type {any} */ event) => setTo({ bucket: event.currentTarget.value, prefix: '' })}>
        ${[...new Set([bucket, ...(buckets.value ?? []).map((one) => one.name)])].map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>
    </div>
    <p class="mid">${t('place.in')} <strong><${Name} text=${to.prefix === '' ? to.bucket : to.prefix} /></strong></p>
    ${folders === undefined
      ? html`<${Loading} />`
      : html`<ul class="links" aria-label=${t('place.folders')}>
          ${to.prefix !== '' && html`<li><button type="button" class="btn quiet small" onClick=${() => setTo({ ...to, prefix: up })}><${Icon} name="left" />${t('up')}</button></li>`}
          ${folders.slice(0, FOLDERS_MAX).map((key) => html`<li key=${key}><button type="button" class="btn quiet small" onClick=${() => setTo({ ...to, prefix: key })}><${Icon} name="folder" /><${Name} text=${lastSegment(key)} /></button></li>`)}
          ${folders.length === 0 && html`<li class="dim small">${t('place.none')}</li>`}
        </ul>`}
    <label class="check"><input type="checkbox" checked=${replace} onChange=${(/** @type {any} */ event) => setReplace(event.currentTarget.checked)} /><span>${t('place.replace')}</span></label>
    ${how === 'move' && html`<p class="hint">${t('move.hint')}</p>`}
    ${work.view}
    ${problem && html`<p class="wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}
  <//>`;
}

/** Asks for another name, and gives it. @param {{ bucket: string, entry: Entry, close: () => void, changed: () => void }} props */
export function Rename({ bucket, entry, close, changed }) {
  const old = lastSegment(entry.key);
  const folder = entry.key.slice(0, entry.key.length - old.length - (entry.folder ? 1 : 0));
  const [name, setName] = useState(old);
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const work = useWork();
  const submit = async () => {
    if (name === old) return close();
    const to = { bucket, prefix: folder };
    const done = await shift(work, { bucket, prefix: folder, entries: [entry], how: 'move', replace: false, to, name });
    changed();
    if (done.problems > 0) return setProblem(done.first);
    toast('pencil', t('renamed'));
    return close();
  };
  const footer = html`<button type="button" class="btn" onClick=${work.busy ? work.stop : close}>${t('cancel')}</button>
    <button type="submit" form="rename-form" class="btn primary" disabled=${work.busy}>${t('rename')}</button>`;
  return html`<${Dialog} id="rename" title=${t('rename')} close=${close} submit=${submit} footer=${footer}>
    <div class="field">
      <label for="new-name">${t('name')}</label>
      <input class="input" id="new-name" autofocus required pattern="[^\\/]+" maxlength="255" autocomplete="off" spellcheck="false" value=${name} onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)} aria-describedby="rename-hint${problem ? ' rename-wrong' : ''}" aria-invalid=${problem ? 'true' : undefined} />
      <p class="hint" id="rename-hint">${t('move.hint')}</p>
      ${problem && html`<p class="wrong" id="rename-wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}
    </div>
    ${work.view}
  <//>`;
}

/**
 * Has entries go to another place, folders key by key.
 * @param {ReturnType<typeof useWork>} work
 * @param {{ bucket: string, prefix: string, entries: Entry[], how: 'move' | 'copy', replace: boolean, to: { bucket: string, prefix: string }, name?: string }} wanted
 */
function shift(work, { bucket, entries, how, replace, to, name }) {
  return work.run(async (each, signal) => {
    for (const entry of entries) {
      const goal = `${to.prefix}${name ?? lastSegment(entry.key)}`;
      const one = async (/** @type {string} */ key, /** @type {string} */ to_key) => {
        await call('POST', `${at(bucket)}/${how}`, { json: { key, to_bucket: to.bucket, to_key, replace }, signal });
      };
      if (!entry.folder) await each([entry.key], (key) => one(key, goal));
      else for await (const keys of keysBelow(bucket, entry.key, signal)) await each(keys, (key) => one(key, `${goal}/${key.slice(entry.key.length)}`));
    }
  });
}
