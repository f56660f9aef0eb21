import { useState } from 'preact/hooks';
import { act, asProblem } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { duration, number, size } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { toast } from '../store.js';
import { t } from '../words/words.js';
import { Sure, doing } from './act.js';

/** @typedef {import('./shards.js').Shard} Shard */
/** @typedef {import('./shards.js').Drain} Drain */

/** How far a drain is; that it has ended is said only once the server proved it. @param {Drain} drain */
export function drainText(drain) {
  if (drain.state === 'drained') return t('drain.drained');
  const left = t('drain.left', { blobs: number(drain.remaining_blobs), bytes: size(drain.remaining_bytes) });
  const ends = drain.seconds_left ? ` · ${duration(drain.seconds_left)}` : '';
  return `${t(`drain.${drain.state}`)} · ${left}${ends}`;
}

/** What can be done with a shard as it is. @param {{ shard: Shard, again: () => void, show: (shown: any) => void }} props */
export function ShardActs({ shard, again, show }) {
  const path = `/shards/${shard.id}`;
  const { mode } = shard;
  const item = (/** @type {string} */ icon, /** @type {string} */ word, /** @type {() => void} */ run) =>
    html`<button type="button" role="menuitem" onClick=${run}><${Icon} name=${icon} />${t(word)}</button>`;
  const set = (/** @type {string} */ method, /** @type {string} */ at, /** @type {object} */ asked = {}) => () => doing(() => act(method, at, asked), t('saved'), again);
  const probe = () =>
    doing(async () => {
      const came = await act('POST', `${path}/probe`);
      toast(came.ok ? 'ok' : 'warn', came.ok ? t('probe.ok', { ms: number((came.round_trip_us ?? 0) / 1000, { maximumFractionDigits: 1 }) }) : t('probe.failed', { why: came.error ?? '' }));
    }, undefined, again);
  const isLost = mode === 'dead' || mode === 'lost';
  return html`<${Menu} class="btn icon quiet small" id=${`shard-${shard.id}`} label=${t('actions.of', { name: t('shard.n', { id: shard.id }) })} button=${html`<${Icon} name="more" />`}>
    ${item('pulse', 'shard.probe', probe)}
    ${item('scale', 'shard.weight', () => show({ kind: 'weight', shard }))}
    ${mode === 'active' && item('lock', 'shard.set_read_only', set('PATCH', path, { json: { read_only: true } }))}
    ${mode === 'read_only' && item('check', 'shard.set_active', set('PATCH', path, { json: { read_only: false } }))}
    ${(mode === 'active' || mode === 'read_only') && item('external', 'shard.drain', set('PUT', `${path}/drain`))}
    ${mode === 'draining' && item('x', 'shard.drain.cancel', set('DELETE', `${path}/drain`))}
    <hr />
    ${isLost ? item('undo', 'shard.take_back', set('DELETE', `${path}/dead`)) : item('crit', 'shard.declare', () => show({ kind: 'dead', shard }))}
    ${item('trash', 'shard.remove', () => show({ kind: 'remove', shard }))}
  <//>`;
}

/** @param {{ shown: null | 'add' | { kind: 'dead' | 'remove' | 'weight', shard: Shard }, close: () => void, again: () => void }} props */
export function ShardDialogs({ shown, close, again }) {
  if (shown === null) return null;
  if (shown === 'add') return html`<${AddShard} close=${close} done=${again} />`;
  const { kind, shard } = shown;
  const id = String(shard.id);
  const path = `/shards/${id}`;
  if (kind === 'weight') return html`<${Weight} shard=${shard} close=${close} done=${again} />`;
  const [method, at] = kind === 'dead' ? ['PUT', `${path}/dead`] : ['DELETE', path];
  const run = async () => {
    await act(method ?? '', at ?? '');
    again();
  };
  return html`<${Sure} title=${t(`shard.${kind}.title`, { id })} text=${t(`shard.${kind}.text`)} act=${t(kind === 'dead' ? 'shard.declare' : 'shard.remove')} typed=${id} close=${close} run=${run} />`;
}

/** @param {{ close: () => void, done: () => void }} props */
function AddShard({ close, done }) {
  const [folder, setFolder] = useState('');
  const [domain, setDomain] = useState('');
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    try {
      const json = { place: { kind: 'filesystem', path: folder }, ...(domain === '' ? {} : { failure_domain: domain }) };
      const made = await act('POST', '/shards', { json });
      toast('disk', t('shard.added', { id: made.id }));
      close();
      done();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="add-shard-form" class="btn primary">${t('shard.add')}</button>`;
  return html`<${Dialog} id="add-shard" title=${t('shard.add')} close=${close} submit=${submit} footer=${footer}>
    <div class="field"><label for="shard-path">${t('shard.path')}</label><input class="input code" id="shard-path" autofocus required autocomplete="off" spellcheck="false" value=${folder} onInput=${(/** @type {any} */ event) => setFolder(event.currentTarget.value)} aria-describedby="shard-hint${problem ? ' shard-wrong' : ''}" aria-invalid=${problem ? 'true' : undefined} />
      <p class="hint" id="shard-hint">${t('shard.path.hint')}</p>
      ${problem && html`<p class="wrong" id="shard-wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}</div>
    <div class="field"><label for="shard-domain">${t('shard.domain')}</label><input class="input" id="shard-domain" autocomplete="off" value=${domain} onInput=${(/** @type {any} */ event) => setDomain(event.currentTarget.value)} aria-describedby="domain-hint" /><p class="hint" id="domain-hint">${t('shard.domain.hint')}</p></div>
  <//>`;
}

/** @param {{ shard: Shard, close: () => void, done: () => void }} props */
function Weight({ shard, close, done }) {
  const [percent, setPercent] = useState(String(shard.weight_percent));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    try {
      await act('PATCH', `/shards/${shard.id}`, { json: { weight_percent: Number(percent) } });
      close();
      done();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="weight-form" class="btn primary">${t('save')}</button>`;
  return html`<${Dialog} id="weight" title=${t('shard.weight')} close=${close} submit=${submit} footer=${footer}>
    <div class="field"><label for="weight-percent">${t('shard.weight.percent')}</label><input class="input" id="weight-percent" type="number" min="0" max="10000" step="1" required autofocus value=${percent} onInput=${(/** @type {any} */ event) => setPercent(event.currentTarget.value)} aria-describedby="weight-hint" /><p class="hint" id="weight-hint">${t('shard.weight.hint')}</p></div>
    ${problem && html`<p class="wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}
  <//>`;
}
