import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { at, call, downloadHref, zipHref } from '../door.js';
import { number, size } from '../parts/format.js';
import { Top } from '../parts/frame.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { Name } from '../parts/name.js';
import { Failed, Loading } from '../parts/states.js';
import { deletedHref, folderHref, go, trayOpen } from '../store.js';
import { language, t } from '../words/words.js';
import { useDeleting } from './delete.js';
import { Details } from './details.js';
import { chosen, dropped } from './drop.js';
import { SORTED_MAX, useListing, useSearch } from './listing.js';
import { MakeFolder } from './make-folder.js';
import { lastSegment, trailOf } from './names.js';
import { Place, Rename } from './place.js';
import { Preview } from './preview.js';
import { Rows } from './rows.js';
import { Share } from './share.js';
import { arrivals, enqueue, lookUnfinished } from './uploads.js';
import { Versions } from './versions.js';

/** @typedef {import('./listing.js').Entry} Entry */
/** @typedef {import('./listing.js').Order} Order */
/** @typedef {null | { kind: 'folder' } | { kind: 'place', entries: Entry[], how: 'move' | 'copy' } | { kind: 'versions' | 'share' | 'details' | 'rename' | 'preview', entry: Entry }} Shown */

/** Longest address that asks for an archive of some files, in characters. */
const ZIP_HREF_MAX = 6_000;

/** Rows up to which a list is read anew when something changes; a longer one waits for who looks at it. */
const FRESH_ROWS_MAX = 2_000;

/** What is in a folder. @param {{ bucket: string, prefix: string }} props */
export function FolderPage({ bucket, prefix }) {
  const [text, setText] = useState('');
  const [inside, setInside] = useState(false);
  const [order, setOrder] = useState(/** @type {Order} */ ({ by: 'name', down: false }));
  const [selected, setSelected] = useState(/** @type {Map<string, Entry>} */ (new Map()));
  const [shown, setShown] = useState(/** @type {Shown} */ (null));
  const [stale, setStale] = useState(false);
  const [dropping, setDropping] = useState(false);
  const [about, setAbout] = useState(/** @type {import('../store.js').Bucket | undefined} */ (undefined));
  const files = useRef(/** @type {HTMLInputElement | null} */ (null));
  const folders = useRef(/** @type {HTMLInputElement | null} */ (null));
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const searches = inside && text !== '';
  const names = useListing(bucket, prefix, inside ? '' : text, order, searches);
  const hits = useSearch(bucket, prefix, text, !searches);
  const listing = searches ? hits : names;
  const versioning = about?.versioning ?? 'off';

  const readAbout = () => call('GET', at(bucket)).then(setAbout, () => {});
  useEffect(() => {
    // Who may not know how the bucket is set still sees what the list says.
    readAbout();
    lookUnfinished(bucket, prefix);
  }, []);
  useEffect(() => {
    document.title = `${prefix === '' ? bucket : lastSegment(prefix)} · Cofre`;
  }, [language.value]);

  const count = useRef(0);
  count.current = listing.count;
  const changed = () => {
    setSelected(new Map());
    setStale(false);
    listing.again();
    readAbout();
  };
  useEffect(() => {
    /** @type {number | undefined} */
    let timer;
    const arrived = (/** @type {import('./uploads.js').Upload} */ upload) => {
      if (upload.bucket !== bucket || !upload.key.startsWith(prefix)) return;
      clearTimeout(timer);
      // What is under a hand stays where it is: a long list says that there is more.
      timer = setTimeout(() => (count.current > FRESH_ROWS_MAX ? setStale(true) : names.again()), 300);
    };
    arrivals.add(arrived);
    return () => {
      clearTimeout(timer);
      arrivals.delete(arrived);
    };
  }, []);

  const deleting = useDeleting(bucket, versioning === 'on', changed);
  const close = () => setShown(null);
  /** @type {import('./rows.js').Acts} */
  const acts = {
    open: (entry) => (entry.folder ? go(folderHref(bucket, entry.key)) : setShown({ kind: 'preview', entry })),
    details: (entry) => setShown({ kind: 'details', entry }),
    versions: (entry) => setShown({ kind: 'versions', entry }),
    share: (entry) => setShown({ kind: 'share', entry }),
    rename: (entry) => setShown({ kind: 'rename', entry }),
    place: (entries, how) => entries.length > 0 && setShown({ kind: 'place', entries, how }),
    remove: deleting.ask,
    zip: (entries) => (entries.length === 1 && entries[0]?.folder ? zipHref(bucket, entries[0].key) : zipHref(bucket, prefix, entries.map((one) => one.key))),
  };

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
    n: () => setShown({ kind: 'folder' }),
    '/': () => search.current?.focus(),
    Backspace: () => go(trail.at(-1)?.href ?? '/files'),
  };
  const title = prefix === '' ? bucket : html`<${Name} text=${lastSegment(prefix)} />`;
  const choose = html`<button type="button" class="btn primary" onClick=${() => files.current?.click()}><${Icon} name="upload" />${t('upload')}</button>`;
  const input = async (/** @type {any} */ event) => {
    const field = event.currentTarget;
    const list = chosen(field.files, prefix);
    // So that the same file can be chosen again; the list stays as it is.
    field.value = '';
    upload(await list);
  };
  const seg = (/** @type {boolean} */ value, /** @type {string} */ word) =>
    html`<button type="button" aria-pressed=${inside === value} onClick=${() => setInside(value)}>${t(word)}</button>`;

  return html`<div class="drop-ground" data-dropping=${dropping || undefined} onDragOver=${over} onDragLeave=${() => setDropping(false)} onDrop=${drop}>
    <${Top} title=${title} trail=${trail}>
      <button type="button" class="btn only-wide" onClick=${() => setShown({ kind: 'folder' })}><${Icon} name="plus" />${t('folder.new')}</button>
      ${choose}
      <${Menu} class="btn icon quiet" id="folder" label=${t('folder.actions')} button=${html`<${Icon} name="more" />`}>
        <button type="button" role="menuitem" onClick=${() => setShown({ kind: 'folder' })}><${Icon} name="plus" />${t('folder.new')}</button>
        <button type="button" role="menuitem" onClick=${() => folders.current?.click()}><${Icon} name="folder" />${t('upload.folder')}</button>
        <a role="menuitem" href=${zipHref(bucket, prefix)} download=""><${Icon} name="zip" />${t('download.folder')}</a>
        ${versioning !== 'off' && html`<button type="button" role="menuitem" onClick=${() => go(deletedHref(bucket, prefix))}><${Icon} name="trash" />${t('deleted.title')}</button>`}
      <//>
    <//>
    <input ref=${files} type="file" multiple hidden onChange=${input} />
    <input ref=${folders} type="file" webkitdirectory hidden onChange=${input} />
    <div class="page wide">
      <div class="tools">
        <div class="with search"><${Icon} name="search" /><input ref=${search} class="input" type="search" aria-label=${t('filter')} placeholder=${t('filter')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} /></div>
        <div class="seg" role="group" aria-label=${t('filter.how')}>${seg(false, 'filter.begin')}${seg(true, 'filter.inside')}</div>
        ${searches && html`<span class="small mid" role="status">${t(hits.busy ? 'search.busy' : 'search.done', { read: number(hits.read), n: number(hits.count) })}</span>`}
        ${searches && hits.busy && html`<button type="button" class="btn small" onClick=${hits.stop}>${t('search.stop')}</button>`}
        ${stale && html`<button type="button" class="btn small" onClick=${changed}><${Icon} name="refresh" />${t('folder.stale')}</button>`}
      </div>
      ${listing.problem
        ? html`<${Failed} problem=${listing.problem} again=${listing.again} />`
        : listing.count === 0
          ? listing.busy
            ? html`<${Loading} />`
            : html`<${Empty} text=${text} choose=${choose} folder=${() => folders.current?.click()} />`
          : html`<${Rows} bucket=${bucket} label=${prefix || bucket} base=${searches ? prefix : null} listing=${listing} order=${order} setOrder=${searches ? null : setOrder} selected=${selected} select=${setSelected} versioned=${versioning !== 'off'} acts=${acts} keys=${keys} />
              <${Summary} bucket=${bucket} prefix=${prefix} listing=${listing} order=${order} about=${about} searches=${searches} />
              ${searches && hits.next && html`<p class="summary"><button type="button" class="btn small" onClick=${hits.more}>${t('search.more')}</button></p>`}`}
      ${selected.size > 0 && html`<${SelectionBar} bucket=${bucket} entries=${[...selected.values()]} acts=${acts} clear=${() => setSelected(new Map())} />`}
    </div>
    ${deleting.dialog}
    <${Dialogs} bucket=${bucket} prefix=${prefix} shown=${shown} show=${setShown} close=${close} changed=${changed} listing=${listing} locks=${about?.object_lock ?? false} />
  </div>`;
}

/** @param {{ bucket: string, prefix: string, shown: Shown, show: (shown: Shown) => void, close: () => void, changed: () => void, listing: import('./listing.js').Listing, locks: boolean }} props */
function Dialogs({ bucket, prefix, shown, show, close, changed, listing, locks }) {
  if (shown === null) return null;
  if (shown.kind === 'folder') return html`<${MakeFolder} bucket=${bucket} prefix=${prefix} close=${close} done=${changed} />`;
  if (shown.kind === 'place') return html`<${Place} bucket=${bucket} prefix=${prefix} entries=${shown.entries} how=${shown.how} close=${close} changed=${changed} />`;
  const { kind, entry } = shown;
  if (kind === 'rename') return html`<${Rename} bucket=${bucket} entry=${entry} close=${close} changed=${changed} />`;
  if (kind === 'share') return html`<${Share} bucket=${bucket} object=${entry.key} close=${close} />`;
  if (kind === 'details') return html`<${Details} bucket=${bucket} object=${entry.key} locks=${locks} close=${close} changed=${() => listing.again()} />`;
  if (kind === 'versions') return html`<${Versions} bucket=${bucket} object=${entry.key} close=${close} changed=${() => listing.again()} />`;
  const list = listing.loaded().filter((one) => !one.folder);
  return html`<${Preview} bucket=${bucket} entries=${list} first=${entry} close=${close} share=${(/** @type {Entry} */ one) => show({ kind: 'share', entry: one })} details=${(/** @type {Entry} */ one) => show({ kind: 'details', entry: one })} />`;
}

/** @param {{ bucket: string, prefix: string, listing: import('./listing.js').Listing, order: Order, about: import('../store.js').Bucket | undefined, searches: boolean }} props */
function Summary({ bucket, prefix, listing, order, about, searches }) {
  const [below, setBelow] = useState(/** @type {{ objects: number, bytes: number, whole: boolean } | 'asked' | null} */ (null));
  const loaded = listing.loaded();
  const { folders, bytes } = useMemo(() => {
    let [folders, bytes] = [0, 0];
    for (const one of loaded) {
      if (one.folder) folders += 1;
      bytes += one.bytes ?? 0;
    }
    return { folders, bytes };
  }, [listing.count, loaded.length]);
  if (searches) return null;
  const measure = () => {
    setBelow('asked');
    call('GET', `${at(bucket)}/measure`, { query: { prefix } }).then(setBelow, () => setBelow(null));
  };
  const parts = [];
  if (listing.full) parts.push(t('folder.full', { n: number(listing.count) }));
  else if (listing.whole) parts.push(t('folder.summary', { folders, files: listing.count - folders, bytes: size(bytes) }));
  else if (order.by === 'name') parts.push(t('folder.part', { shown: number(listing.count) }));
  if (order.by !== 'name' && !listing.whole) parts.push(t('folder.sorted', { n: number(SORTED_MAX) }));
  if (prefix === '' && about?.objects !== undefined) parts.push(t('bucket.holds', { n: about.objects, count: number(about.objects), bytes: size(about.bytes) }));
  if (below !== null && below !== 'asked') {
    const text = t('folder.below', { n: below.objects, count: number(below.objects), bytes: size(below.bytes) });
    parts.push(below.whole ? text : t('at_least', { what: text }));
  }
  return html`<p class="summary">
    ${listing.stuck && html`<span class="wrong" role="alert"><${Icon} name="crit" />${listing.stuck.told}</span> <button type="button" class="btn small" onClick=${listing.goOn}>${t('again')}</button> `}
    ${parts.join(' · ')}
    ${prefix !== '' && folders > 0 && below === null && html` <button type="button" class="btn quiet small" onClick=${measure}>${t('folder.measure')}</button>`}
    ${below === 'asked' && html` <span role="status">${t('counting')}</span>`}
  </p>`;
}

/** @param {{ text: string, choose: any, folder: () => void }} props */
function Empty({ text, choose, folder }) {
  if (text !== '') return html`<div class="empty"><${Icon} name="search" /><h2>${t('filter.none')}</h2><p>${t('filter.none.text')}</p></div>`;
  return html`<div class="empty">
    <svg class="draw" viewBox="0 0 220 130" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
      <rect x="30" y="10" width="160" height="46" rx="3" /><path d="M92 30h36" stroke-width="4" stroke-linecap="round" /><path d="M30 62h160v8l18 30v18a3 3 0 0 1-3 3H15a3 3 0 0 1-3-3v-18l18-30z" /><path d="M12 100h196M44 70 32 94h156l-12-24" /><path d="M92 110h36" stroke="var(--brass)" stroke-width="4" stroke-linecap="round" />
    </svg>
    <h2>${t('folder.empty')}</h2>
    <p>${t('folder.empty.text')}</p>
    <div class="row">${choose}<button type="button" class="btn" onClick=${folder}><${Icon} name="folder" />${t('upload.folder')}</button></div>
  </div>`;
}

/** @param {{ bucket: string, entries: Entry[], acts: import('./rows.js').Acts, clear: () => void }} props */
function SelectionBar({ bucket, entries, acts, clear }) {
  const bytes = entries.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  const only = entries.length === 1 && !entries[0]?.folder ? entries[0] : undefined;
  const zip = only ? '' : acts.zip(entries);
  const act = (/** @type {string} */ icon, /** @type {string} */ word, /** @type {() => void} */ run) =>
    html`<button type="button" class="btn" onClick=${run}><${Icon} name=${icon} /><span class="t">${t(word)}</span></button>`;
  return html`<div class="selbar" role="toolbar" aria-label=${t('selection')}>
    <span class="nowrap"><strong class="num">${number(entries.length)}</strong><span class="only-wide"> ${t('selection.of', { bytes: size(bytes) })}</span></span><span class="bar"></span>
    ${only && html`<a class="btn" href=${downloadHref(bucket, only.key)} download><${Icon} name="download" /><span class="t">${t('download')}</span></a>`}
    ${zip !== '' && zip.length <= ZIP_HREF_MAX && html`<a class="btn" href=${zip} download><${Icon} name="zip" /><span class="t">${t('download.zip')}</span></a>`}
    ${act('move', 'move', () => acts.place(entries, 'move'))}${act('copy', 'copy', () => acts.place(entries, 'copy'))}${act('trash', 'delete', () => acts.remove(entries))}
    <span class="bar"></span>
    <button type="button" class="btn icon" aria-label=${t('selection.clear')} onClick=${clear}><${Icon} name="x" /></button>
  </div>`;
}
