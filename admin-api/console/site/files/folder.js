import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asProblem, at, call, downloadHref } from '../door.js';
import { number, size } from '../parts/format.js';
import { Top } from '../parts/frame.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { Name } from '../parts/name.js';
import { Failed, Loading } from '../parts/states.js';
import { buckets, folderHref, go, trayOpen } from '../store.js';
import { language, t } from '../words/words.js';
import { useDeleting } from './delete.js';
import { chosen, dropped } from './drop.js';
import { MakeFolder } from './make-folder.js';
import { lastSegment, trailOf } from './names.js';
import { Rows } from './rows.js';
import { arrivals, enqueue } from './uploads.js';
import { Versions } from './versions.js';

/** @typedef {{ key: string, folder: boolean, bytes?: number, modified?: string, etag?: string }} Entry */

/** Entries that are asked for at once. */
const PAGE_ENTRIES = 200;

/** How long typing rests before the server is asked, in milliseconds. */
const TYPING_REST = 200;

/** What is in a folder. @param {{ bucket: string, prefix: string }} props */
export function FolderPage({ bucket, prefix }) {
  const [entries, setEntries] = useState(/** @type {Entry[] | undefined} */ (undefined));
  const [next, setNext] = useState(/** @type {string | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [filter, setFilter] = useState('');
  const [selected, setSelected] = useState(/** @type {Set<string>} */ (new Set()));
  const [dialog, setDialog] = useState(/** @type {null | 'folder' | { versions: string }} */ (null));
  const [dropping, setDropping] = useState(false);
  const asked = useRef(0);
  const files = useRef(/** @type {HTMLInputElement | null} */ (null));
  const folders = useRef(/** @type {HTMLInputElement | null} */ (null));
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const versioning = buckets.value?.find((one) => one.name === bucket)?.versioning ?? 'off';

  /** Reads a page; the first one replaces what is shown. @param {string} [after] */
  const read = async (after) => {
    asked.current += 1;
    const turn = asked.current;
    try {
      const page = await call('GET', `${at(bucket)}/entries`, { query: { prefix: prefix + filter, after, limit: PAGE_ENTRIES } });
      if (turn !== asked.current) return;
      // The object that stands for the folder itself is no entry of it.
      const came = page.items.filter((/** @type {Entry} */ entry) => entry.key !== prefix);
      setEntries((before) => (after ? [...(before ?? []), ...came] : came));
      setNext(page.next);
      setProblem(null);
    } catch (error) {
      if (turn === asked.current) setProblem(asProblem(error));
    }
  };

  useEffect(() => {
    const timer = setTimeout(read, filter === '' ? 0 : TYPING_REST);
    return () => clearTimeout(timer);
  }, [filter]);

  useEffect(() => {
    document.title = `${prefix === '' ? bucket : lastSegment(prefix)} · Cofre`;
  }, [language.value]);

  useEffect(() => {
    /** @type {number | undefined} */
    let timer;
    const arrived = (/** @type {import('./uploads.js').Upload} */ upload) => {
      if (upload.bucket !== bucket || !upload.key.startsWith(prefix)) return;
      clearTimeout(timer);
      timer = setTimeout(read, 300);
    };
    arrivals.add(arrived);
    return () => {
      clearTimeout(timer);
      arrivals.delete(arrived);
    };
  }, [filter]);

  const ordered = useMemo(() => entries && [...entries.filter((one) => one.folder), ...entries.filter((one) => !one.folder)], [entries]);
  const deleting = useDeleting(bucket, versioning === 'on', () => {
    setSelected(new Set());
    read();
  });

  /** @param {import('./drop.js').Chosen[]} list */
  const upload = (list) => {
    if (list.length === 0) return;
    enqueue(bucket, list);
    trayOpen.value = true;
  };
  /** @param {DragEvent} event */
  const drop = async (event) => {
    event.preventDefault();
    setDropping(false);
    if (event.dataTransfer) upload(await dropped(event.dataTransfer, prefix));
  };
  /** @param {DragEvent} event */
  const over = (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    setDropping(true);
  };

  /** @type {{ href: string, name: any }[]} */
  const trail = [{ href: '/files', name: t('buckets') }];
  if (prefix !== '') trail.push({ href: folderHref(bucket), name: bucket });
  for (const one of trailOf(prefix).slice(0, -1)) trail.push({ href: folderHref(bucket, one), name: html`<${Name} text=${lastSegment(one)} />` });
  /** Single keys work while a row has the focus. @type {Record<string, () => void>} */
  const keys = {
    u: () => files.current?.click(),
    n: () => setDialog('folder'),
    '/': () => search.current?.focus(),
    Backspace: () => go(trail.at(-1)?.href ?? '/files'),
  };
  const title = prefix === '' ? bucket : html`<${Name} text=${lastSegment(prefix)} />`;
  const choose = html`<button type="button" class="btn primary" onClick=${() => files.current?.click()}><${Icon} name="upload" />${t('upload')}</button>`;

  return html`<div class="drop-ground" data-dropping=${dropping || undefined} onDragOver=${over} onDragLeave=${() => setDropping(false)} onDrop=${drop}>
    <${Top} title=${title} trail=${trail}>
      <button type="button" class="btn only-wide" onClick=${() => setDialog('folder')}><${Icon} name="plus" />${t('folder.new')}</button>
      ${choose}
      <${Menu} class="btn icon quiet" id="folder" label=${t('folder.actions')} button=${html`<${Icon} name="more" />`}>
        <button type="button" role="menuitem" onClick=${() => setDialog('folder')}><${Icon} name="plus" />${t('folder.new')}</button>
        <button type="button" role="menuitem" onClick=${() => folders.current?.click()}><${Icon} name="folder" />${t('upload.folder')}</button>
      <//>
    <//>
    <input ref=${files} type="file" multiple hidden onChange=${(/** @type {any} */ event) => { upload(chosen(event.currentTarget.files, prefix)); event.currentTarget.value = ''; }} />
    <input ref=${folders} type="file" webkitdirectory hidden onChange=${(/** @type {any} */ event) => { upload(chosen(event.currentTarget.files, prefix)); event.currentTarget.value = ''; }} />
    <div class="page wide">
      <div class="tools">
        <div class="with search"><${Icon} name="search" /><input ref=${search} class="input" type="search" aria-label=${t('filter')} placeholder=${t('filter')} value=${filter} onInput=${(/** @type {any} */ event) => setFilter(event.currentTarget.value)} /></div>
      </div>
      ${problem
        ? html`<${Failed} problem=${problem} again=${() => read()} />`
        : ordered === undefined
          ? html`<${Loading} />`
          : ordered.length === 0
            ? html`<${Empty} filter=${filter} choose=${choose} folder=${() => folders.current?.click()} />`
            : html`<${Rows} bucket=${bucket} label=${prefix || bucket} entries=${ordered} selected=${selected} select=${setSelected} versioned=${versioning !== 'off'} remove=${deleting.ask} keys=${keys} showVersions=${(/** @type {string} */ key) => setDialog({ versions: key })} />
                <p class="summary">${summary(ordered, next !== undefined)} ${next !== undefined && html`<button type="button" class="btn small" onClick=${() => read(next)}>${t('more')}</button>`}</p>`}
      ${selected.size > 0 && ordered && html`<${SelectionBar} bucket=${bucket} entries=${ordered.filter((one) => selected.has(one.key))} clear=${() => setSelected(new Set())} remove=${deleting.ask} />`}
    </div>
    ${deleting.dialog}
    ${dialog === 'folder' && html`<${MakeFolder} bucket=${bucket} prefix=${prefix} close=${() => setDialog(null)} done=${() => read()} />`}
    ${dialog !== null && typeof dialog === 'object' && html`<${Versions} bucket=${bucket} object=${dialog.versions} close=${() => setDialog(null)} changed=${() => read()} />`}
  </div>`;
}

/** @param {Entry[]} entries @param {boolean} isPart */
function summary(entries, isPart) {
  const folders = entries.filter((one) => one.folder).length;
  const bytes = entries.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  const args = { folders, files: entries.length - folders, bytes: size(bytes), shown: number(entries.length) };
  return t(isPart ? 'folder.part' : 'folder.summary', args);
}

/** @param {{ filter: string, choose: any, folder: () => void }} props */
function Empty({ filter, choose, folder }) {
  if (filter !== '') return html`<div class="empty"><${Icon} name="search" /><h2>${t('filter.none')}</h2><p>${t('filter.none.text')}</p></div>`;
  return html`<div class="empty">
    <svg class="draw" viewBox="0 0 220 130" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
      <rect x="30" y="10" width="160" height="46" rx="3" /><path d="M92 30h36" stroke-width="4" stroke-linecap="round" /><path d="M30 62h160v8l18 30v18a3 3 0 0 1-3 3H15a3 3 0 0 1-3-3v-18l18-30z" /><path d="M12 100h196M44 70 32 94h156l-12-24" /><path d="M92 110h36" stroke="var(--brass)" stroke-width="4" stroke-linecap="round" />
    </svg>
    <h2>${t('folder.empty')}</h2>
    <p>${t('folder.empty.text')}</p>
    <div class="row">${choose}<button type="button" class="btn" onClick=${folder}><${Icon} name="folder" />${t('upload.folder')}</button></div>
  </div>`;
}

/** @param {{ bucket: string, entries: Entry[], clear: () => void, remove: (entries: Entry[]) => void }} props */
function SelectionBar({ bucket, entries, clear, remove }) {
  const bytes = entries.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  const only = entries.length === 1 && !entries[0]?.folder ? entries[0] : undefined;
  return html`<div class="selbar" role="toolbar" aria-label=${t('selection')}>
    <span class="nowrap"><strong class="num">${number(entries.length)}</strong><span class="only-wide"> ${t('selection.of', { bytes: size(bytes) })}</span></span><span class="bar"></span>
    ${only && html`<a class="btn" href=${downloadHref(bucket, only.key)} download><${Icon} name="download" /><span class="t">${t('download')}</span></a>`}
    <button type="button" class="btn" onClick=${() => remove(entries)}><${Icon} name="trash" /><span class="t">${t('delete')}</span></button><span class="bar"></span>
    <button type="button" class="btn icon" aria-label=${t('selection.clear')} onClick=${clear}><${Icon} name="x" /></button>
  </div>`;
}
