import { useEffect, useState } from 'preact/hooks';
import { asProblem, at, call } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { when } from '../parts/format.js';
import { Top } from '../parts/frame.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { Failed, Loading } from '../parts/states.js';
import { buckets, folderHref, go, toast } from '../store.js';
import { language, t } from '../words/words.js';
import { readBuckets } from './files.js';

/** Days that the versions of a new bucket are kept. */
const VERSION_DAYS = 30;

/** The buckets of the account. */
export function BucketsPage() {
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [shown, setShown] = useState(/** @type {null | 'make' | 'open' | { remove: string }} */ (null));
  const read = async () => {
    setProblem(null);
    try {
      await readBuckets();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useEffect(() => {
    read();
  }, []);
  useEffect(() => {
    document.title = `${t('buckets')} · Cofre`;
  }, [language.value]);
  const list = buckets.value;
  const close = () => setShown(null);
  const make = html`<button type="button" class="btn primary" onClick=${() => setShown('make')}><${Icon} name="plus" />${t('bucket.new')}</button>`;
  return html`<${Top} title=${t('buckets')}>
      <button type="button" class="btn" onClick=${() => setShown('open')}>${t('bucket.open')}</button>
      ${list && list.length > 0 && make}
    <//>
    <div class="page wide">
      ${problem ? html`<${Failed} problem=${problem} again=${read} />` : list === undefined ? html`<${Loading} />` : list.length === 0 ? html`<${Empty} make=${make} />` : html`<${List} list=${list} remove=${(/** @type {string} */ name) => setShown({ remove: name })} />`}
    </div>
    ${shown === 'make' && html`<${MakeBucket} close=${close} />`}
    ${shown === 'open' && html`<${OpenBucket} close=${close} />`}
    ${shown !== null && typeof shown === 'object' && html`<${RemoveBucket} name=${shown.remove} close=${close} />`}`;
}

/** @param {{ make: any }} props */
function Empty({ make }) {
  return html`<div class="empty">
    <svg class="draw" viewBox="0 0 220 130" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
      <rect x="30" y="10" width="160" height="46" rx="3" /><path d="M92 30h36" stroke-width="4" stroke-linecap="round" /><path d="M30 62h160v8l18 30v18a3 3 0 0 1-3 3H15a3 3 0 0 1-3-3v-18l18-30z" /><path d="M12 100h196M44 70 32 94h156l-12-24" /><path d="M92 110h36" stroke="var(--brass)" stroke-width="4" stroke-linecap="round" />
    </svg>
    <h2>${t('buckets.empty')}</h2>
    <p>${t('buckets.empty.text')}</p>
    <div class="row">${make}</div>
  </div>`;
}

/** @param {{ list: import('../store.js').Bucket[], remove: (name: string) => void }} props */
function List({ list, remove }) {
  /** @param {MouseEvent} event @param {string} name */
  const click = (event, name) => {
    if (event.target instanceof Element && event.target.closest('a, button, [popover]')) return;
    go(folderHref(name));
  };
  return html`<table class="table files" aria-label=${t('buckets')}>
      <thead>
        <tr><th scope="col">${t('name')}</th><th scope="col" class="c3">${t('versions')}</th><th scope="col" class="c3">${t('created')}</th><td class="fit"><span class="sr">${t('actions')}</span></td></tr>
      </thead>
      <tbody>
        ${list.map(
          (bucket) => html`<tr key=${bucket.name} onClick=${(/** @type {MouseEvent} */ event) => click(event, bucket.name)}>
            <th scope="row">
              <div class="name"><${Icon} name="bucket" /><span><a href=${folderHref(bucket.name)}>${bucket.name}</a><span class="sub only-small">${when(bucket.created)}</span></span></div>
            </th>
            <td class="mid nowrap c3">${t(`versioning.${bucket.versioning}`)}</td>
            <td class="mid nowrap c3" title=${bucket.created}>${when(bucket.created)}</td>
            <td class="act fit">
              <${Menu} class="btn icon quiet small" id=${`bucket-${bucket.name}`} label=${t('actions.of', { name: bucket.name })} button=${html`<${Icon} name="more" />`}>
                <button type="button" role="menuitem" onClick=${() => remove(bucket.name)}><${Icon} name="trash" />${t('bucket.delete')}</button>
              <//>
            </td>
          </tr>`,
        )}
      </tbody>
    </table>
    <p class="summary">${t('buckets.count', { n: list.length })}</p>`;
}

/** @param {{ close: () => void }} props */
function MakeBucket({ close }) {
  const [name, setName] = useState('');
  const [versioning, setVersioning] = useState(true);
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    try {
      const json = { name, versioning, ...(versioning ? { version_days: VERSION_DAYS } : {}) };
      const made = await call('POST', '/buckets', { json });
      await readBuckets();
      close();
      go(folderHref(made.name));
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button>
    <button type="submit" form="make-bucket-form" class="btn primary" disabled=${busy}>${t('bucket.make')}</button>`;
  return html`<${Dialog} id="make-bucket" title=${t('bucket.new')} close=${close} submit=${submit} footer=${footer}>
    <div class="field">
      <label for="bucket-name">${t('name')}</label>
      <input class="input code" id="bucket-name" autofocus required minlength="3" maxlength="63" autocapitalize="off" autocomplete="off" spellcheck="false" value=${name} onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)} aria-describedby="bucket-name-hint${problem ? ' bucket-name-wrong' : ''}" aria-invalid=${problem ? 'true' : undefined} />
      <p class="hint" id="bucket-name-hint">${t('bucket.name.hint')}</p>
      ${problem && html`<p class="wrong" id="bucket-name-wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}
    </div>
    <label class="check"><input type="checkbox" checked=${versioning} onChange=${(/** @type {any} */ event) => setVersioning(event.currentTarget.checked)} /><span>${t('bucket.versioning', { n: VERSION_DAYS })}</span></label>
  <//>`;
}

/** Opens a bucket of another account, which lists do not tell. @param {{ close: () => void }} props */
function OpenBucket({ close }) {
  const [name, setName] = useState('');
  const submit = () => {
    close();
    go(folderHref(name));
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="open-bucket-form" class="btn primary">${t('open')}</button>`;
  return html`<${Dialog} id="open-bucket" title=${t('bucket.open')} close=${close} submit=${submit} footer=${footer}>
    <div class="field">
      <label for="open-name">${t('name')}</label>
      <input class="input code" id="open-name" autofocus required minlength="3" maxlength="63" autocapitalize="off" autocomplete="off" spellcheck="false" value=${name} onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)} aria-describedby="open-hint" />
      <p class="hint" id="open-hint">${t('bucket.open.hint')}</p>
    </div>
  <//>`;
}

/** Deletes a bucket that is empty, once its name was typed. @param {{ name: string, close: () => void }} props */
function RemoveBucket({ name, close }) {
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    try {
      await call('DELETE', at(name));
      toast('trash', t('bucket.deleted', { name }));
      close();
      await readBuckets();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="remove-bucket-form" class="btn danger" disabled=${typed !== name}>${t('bucket.delete')}</button>`;
  return html`<${Dialog} id="remove-bucket" title=${t('bucket.delete.of', { name })} close=${close} submit=${submit} footer=${footer}>
    <div class="field">
      <label for="remove-name">${t('bucket.delete.type')}</label>
      <input class="input code" id="remove-name" autofocus autocapitalize="off" autocomplete="off" spellcheck="false" value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)} aria-describedby="remove-hint${problem ? ' remove-wrong' : ''}" aria-invalid=${problem ? 'true' : undefined} />
      <p class="hint" id="remove-hint">${t('bucket.delete.hint')}</p>
      ${problem && html`<p class="wrong" id="remove-wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}
    </div>
  <//>`;
}
