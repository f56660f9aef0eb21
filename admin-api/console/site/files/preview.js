import { useEffect, useRef, useState } from 'preact/hooks';
import { at, call, downloadHref, previewHref } from '../door.js';
import { size } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { t } from '../words/words.js';
import { iconOf, lastSegment } from './names.js';

/** @typedef {import('./listing.js').Entry} Entry */

/** Larger pictures are asked for before they are drawn, in bytes. */
const ASKED_BYTES = 64 * 1024 * 1024;

/** @type {Record<string, 'image' | 'video' | 'audio'>} */
const DRAWN = { image: 'image', video: 'video', audio: 'audio' };

/**
 * One object at a time, drawn by the browser or told as text. Nothing of it runs: the server sends only what it finds to be a
 * picture, a sound or a film.
 * @param {{ bucket: string, entries: Entry[], first: Entry, close: () => void, share: (entry: Entry) => void, details: (entry: Entry) => void }} props
 */
export function Preview({ bucket, entries, first, close, share, details }) {
  const [index, setIndex] = useState(() => Math.max(0, entries.findIndex((one) => one.key === first.key)));
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const entry = entries[index] ?? first;
  useEffect(() => {
    const from = document.activeElement;
    box.current?.showModal();
    return () => {
      if (from instanceof HTMLElement && from.isConnected) from.focus();
    };
  }, []);
  /** @param {number} by */
  const step = (by) => setIndex(Math.max(0, Math.min(entries.length - 1, index + by)));
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.target instanceof HTMLMediaElement) return;
    if (event.key === 'ArrowLeft') step(-1);
    if (event.key === 'ArrowRight') step(1);
  };
  const name = lastSegment(entry.key);
  const turn = (/** @type {number} */ by, /** @type {string} */ icon, /** @type {string} */ word, /** @type {boolean} */ off) =>
    html`<button type="button" class="btn icon quiet" aria-label=${t(word)} title=${t(word)} disabled=${off} onClick=${() => step(by)}><${Icon} name=${icon} /></button>`;
  return html`<dialog ref=${box} class="preview" aria-label=${name} onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); close(); }} onKeyDown=${press}>
    <header>
      <h1 class="grow"><${Name} text=${name} /></h1>
      <button type="button" class="btn icon quiet" aria-label=${t('details')} title=${t('details')} onClick=${() => details(entry)}><${Icon} name="panel" /></button>
      <button type="button" class="btn icon quiet" aria-label=${t('share')} title=${t('share')} onClick=${() => share(entry)}><${Icon} name="link" /></button>
      <a class="btn icon quiet" href=${downloadHref(bucket, entry.key)} download="" aria-label=${t('download')} title=${t('download')}><${Icon} name="download" /></a>
      <button type="button" class="btn icon quiet" autofocus aria-label=${t('close')} title=${t('close')} onClick=${close}><${Icon} name="x" /></button>
    </header>
    <div class="stage">${turn(-1, 'left', 'previous', index === 0)}<${Shown} key=${entry.key} bucket=${bucket} entry=${entry} name=${name} />${turn(1, 'right', 'next', index >= entries.length - 1)}</div>
    <footer><span>${size(entry.bytes)}</span><span class="num">${t('of', { n: index + 1, all: entries.length })}</span></footer>
  </dialog>`;
}

/** @param {{ bucket: string, entry: Entry, name: string }} props */
function Shown({ bucket, entry, name }) {
  const kind = DRAWN[iconOf(entry.key)];
  const [wanted, setWanted] = useState(kind !== 'image' || (entry.bytes ?? 0) <= ASKED_BYTES);
  const [failed, setFailed] = useState(false);
  if (!wanted) {
    return html`<div class="none"><p>${t('preview.large', { bytes: size(entry.bytes) })}</p><button type="button" class="btn" onClick=${() => setWanted(true)}>${t('preview.show')}</button></div>`;
  }
  if (!kind || failed) return html`<${TextOf} bucket=${bucket} entry=${entry} />`;
  const href = previewHref(bucket, entry.key);
  const fail = () => setFailed(true);
  if (kind === 'image') return html`<img src=${href} alt=${name} onError=${fail} />`;
  if (kind === 'video') return html`<video src=${href} controls aria-label=${name} onError=${fail}></video>`;
  return html`<audio src=${href} controls aria-label=${name} onError=${fail}></audio>`;
}

/** @param {{ bucket: string, entry: Entry }} props */
function TextOf({ bucket, entry }) {
  const [came, setCame] = useState(/** @type {{ text: string, more: boolean } | null | undefined} */ (undefined));
  useEffect(() => {
    call('GET', `${at(bucket)}/text`, { query: { key: entry.key } }).then(setCame, () => setCame(null));
  }, []);
  if (came === undefined) return html`<div class="none"><p role="status">${t('loading')}</p></div>`;
  if (came === null) {
    return html`<div class="none"><${Icon} name=${iconOf(entry.key)} /><p>${t('preview.none')}</p><a class="btn" href=${downloadHref(bucket, entry.key)} download=""><${Icon} name="download" />${t('download')}</a></div>`;
  }
  return html`<pre tabindex="0">${came.text}${came.more && html`\n\n— ${t('preview.more')}`}</pre>`;
}
