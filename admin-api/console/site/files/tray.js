import { useRef } from 'preact/hooks';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { size, when } from '../parts/format.js';
import { trayOpen } from '../store.js';
import { t } from '../words/words.js';
import { iconOf, lastSegment } from './names.js';
import { cancel, clear, decide, decideAll, discard, enqueue, pause, resume, resumeAll, summary, unfinished, uploads } from './uploads.js';

/** Rows of one group that are drawn. */
const ROWS_MAX = 50;

/** The tray of uploads. */
export function Tray() {
  if (!trayOpen.value) return null;
  const { files, waiting, bytes, sent, percent } = summary.value;
  const group = (/** @type {string[]} */ states) => uploads.value.filter((one) => states.includes(one.state));
  const [conflicts, failed] = [group(['conflict']).length, group(['failed']).length];
  return html`<section class="tray" aria-label=${t('uploads')}>
    <header>
      <div class="row between">
        <h2 class="grow">${files === 0 ? t('uploads') : waiting === 0 ? t('uploads.all_done') : t('uploads.sending', { n: waiting })}</h2>
        <div class="row tight">
          ${waiting < files && html`<button type="button" class="btn quiet small" onClick=${clear}>${t('uploads.clear')}</button>`}
          <button type="button" class="btn icon quiet small" aria-label=${t('uploads.fold')} title=${t('uploads.fold')} onClick=${() => (trayOpen.value = false)}><${Icon} name="down" /></button>
        </div>
      </div>
      ${files === 0
        ? html`<p>${t('uploads.none')}</p>`
        : html`<p>${t('uploads.sum', { sent: size(sent), bytes: size(bytes) })}</p>
            <span class="meter" style=${{ '--v': percent }} role="img" aria-label=${t('uploads.percent', { percent })}></span>`}
    </header>
    <div class="scroll" tabindex="0" role="group" aria-label=${t('uploads.list')}>
      ${conflicts > 1 && html`<p class="row pad-x"><span>${t('conflict.all', { n: conflicts })}</span><button type="button" class="btn small" onClick=${() => decideAll('replace')}>${t('conflict.replace')}</button><button type="button" class="btn small" onClick=${() => decideAll('both')}>${t('conflict.both')}</button><button type="button" class="btn small" onClick=${() => decideAll('skip')}>${t('conflict.skip')}</button></p>`}
      ${failed > 1 && html`<p class="row pad-x"><button type="button" class="btn small" onClick=${resumeAll}><${Icon} name="refresh" />${t('uploads.retry_all', { n: failed })}</button></p>`}
      <${Waiting} />
      <${Group} title=${t('uploads.yours')} icon="warn" list=${group(['conflict', 'failed', 'paused'])} />
      <${Group} title=${t('uploads.now')} list=${group(['checking', 'sending'])} />
      <${Group} title=${t('uploads.queued')} list=${group(['queued'])} />
      <${Group} title=${t('uploads.done')} list=${group(['done'])} />
    </div>
  </section>`;
}

/** Uploads of before: their parts are kept, and the same file goes on where they end. */
function Waiting() {
  const list = unfinished.value;
  if (list.length === 0) return null;
  return html`<h3><${Icon} name="warn" />${t('uploads.waiting')} · ${list.length}</h3>
    <ul class="x">
      ${list.slice(0, ROWS_MAX).map((one) => html`<${WaitingRow} key=${one.id} one=${one} />`)}
    </ul>`;
}

/** @param {{ one: import('./uploads.js').Unfinished }} props */
function WaitingRow({ one }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const name = lastSegment(one.key);
  const chosen = (/** @type {any} */ event) => {
    const file = event.currentTarget.files?.[0];
    event.currentTarget.value = '';
    if (file) enqueue(one.bucket, [{ file, key: one.key }]);
  };
  return html`<li>
    <${Icon} name=${iconOf(one.key)} /><span class="name"><${Name} text=${name} /></span>
    <span class="note">${t('uploads.begun', { when: when(one.begun) })}</span>
    <span class="row tight">
      <input ref=${input} type="file" hidden aria-label=${t('uploads.choose', { name })} onChange=${chosen} />
      <button type="button" class="btn small" aria-label=${t('uploads.choose', { name })} onClick=${() => input.current?.click()}>${t('uploads.choose.short')}</button>
      <button type="button" class="btn icon quiet small" aria-label=${t('uploads.discard', { name })} title=${t('uploads.discard', { name })} onClick=${() => discard(one).catch(() => {})}><${Icon} name="x" /></button>
    </span>
  </li>`;
}

/** @param {{ title: string, icon?: string, list: import('./uploads.js').Upload[] }} props */
function Group({ title, icon, list }) {
  if (list.length === 0) return null;
  return html`<h3>${icon && html`<${Icon} name=${icon} />`}${title} · ${list.length}</h3>
    <ul class="x">
      ${list.slice(0, ROWS_MAX).map((one) => html`<${Row} key=${one.id} one=${one} />`)}
    </ul>`;
}

/** @param {{ one: import('./uploads.js').Upload }} props */
function Row({ one }) {
  const name = lastSegment(one.key);
  const percent = one.bytes === 0 ? 0 : Math.floor((one.sent / one.bytes) * 100);
  const act = (/** @type {string} */ icon, /** @type {string} */ label, /** @type {() => void} */ run) =>
    html`<button type="button" class="btn icon quiet small" aria-label=${t(label, { name })} title=${t(label, { name })} onClick=${run}><${Icon} name=${icon} /></button>`;
  return html`<li>
    <${Icon} name=${iconOf(one.key)} /><span class="name"><${Name} text=${name} /></span>
    ${one.state !== 'done' && html`<span class=${one.state === 'sending' ? 'meter' : 'meter warn'} style=${{ '--v': percent }} role="img" aria-label=${t('uploads.percent', { percent })}></span>`}
    <span class="note">${note(one)}</span>
    <span class="row tight">
      ${one.state === 'conflict' &&
      html`<button type="button" class="btn small" onClick=${() => decide(one.id, 'replace')}>${t('conflict.replace')}</button>
        <button type="button" class="btn small" onClick=${() => decide(one.id, 'both')}>${t('conflict.both')}</button>
        <button type="button" class="btn small" onClick=${() => decide(one.id, 'skip')}>${t('conflict.skip')}</button>`}
      ${one.state === 'sending' && act('pause', 'uploads.pause', () => pause(one.id))}
      ${(one.state === 'paused' || one.state === 'failed') && act('play', 'uploads.resume', () => resume(one.id))}
      ${one.state !== 'done' && act('x', 'uploads.cancel', () => cancel(one.id))}
    </span>
  </li>`;
}

/** @param {import('./uploads.js').Upload} one */
function note(one) {
  if (one.state === 'conflict') return t('conflict.text');
  if (one.state === 'failed') return one.problem?.told ?? '';
  if (one.state === 'checking') return t('uploads.checking');
  if (one.state === 'paused') return t('uploads.paused', { sent: size(one.sent), bytes: size(one.bytes) });
  if (one.state === 'done') return size(one.bytes);
  return t('uploads.sum', { sent: size(one.sent), bytes: size(one.bytes) });
}
