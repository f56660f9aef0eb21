import { useEffect, useState } from 'preact/hooks';
import { asProblem, at, call } from '../door.js';
import { size, when } from '../parts/format.js';
import { Top } from '../parts/frame.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { Failed, Loading } from '../parts/states.js';
import { folderHref } from '../store.js';
import { language, t } from '../words/words.js';
import { bringBack } from './delete.js';
import { iconOf, lastSegment } from './names.js';

/** @typedef {{ key: string, marker: string, deleted: string, bytes?: number }} Hidden */

/** What was deleted in a folder and below it, and can be brought back. @param {{ bucket: string, prefix: string }} props */
export function DeletedPage({ bucket, prefix }) {
  const [list, setList] = useState(/** @type {Hidden[] | undefined} */ (undefined));
  const [next, setNext] = useState(/** @type {string | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  /** @param {string} [after] */
  const read = async (after) => {
    setBusy(true);
    try {
      const page = await call('GET', `${at(bucket)}/deleted`, { query: { prefix, after } });
      setList((before) => (after ? [...(before ?? []), ...page.items] : page.items));
      setNext(page.next);
      setProblem(null);
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  useEffect(() => {
    read();
  }, []);
  useEffect(() => {
    document.title = `${t('deleted.title')} · Cofre`;
  }, [language.value]);
  /** @param {Hidden[]} some */
  const back = async (some) => {
    await bringBack(bucket, some.map(({ key, marker }) => ({ key, version: marker })));
    await read();
  };
  const trail = [{ href: '/files', name: t('buckets') }, { href: folderHref(bucket, prefix), name: html`<${Name} text=${prefix === '' ? bucket : lastSegment(prefix)} />` }];
  return html`<${Top} title=${t('deleted.title')} trail=${trail}>
      ${list && list.length > 1 && html`<button type="button" class="btn" onClick=${() => back(list)}><${Icon} name="undo" />${t('deleted.all', { n: list.length })}</button>`}
    <//>
    <div class="page">
      <div class="head"><div class="text"><p>${t('deleted.text')}</p></div></div>
      ${problem ? html`<${Failed} problem=${problem} again=${() => read()} />` : list === undefined ? html`<${Loading} />` : list.length === 0 && !next ? html`<div class="empty"><${Icon} name="trash" /><h2>${t('deleted.none')}</h2></div>` : html`<${List} list=${list} back=${(/** @type {Hidden} */ one) => back([one])} prefix=${prefix} />`}
      ${next && html`<p class="summary"><button type="button" class="btn small" disabled=${busy} onClick=${() => read(next)}>${t('deleted.more')}</button></p>`}
    </div>`;
}

/** @param {{ list: Hidden[], prefix: string, back: (one: Hidden) => void }} props */
function List({ list, prefix, back }) {
  return html`<table class="table still cards" role="table" aria-label=${t('deleted.title')}>
    <thead role="rowgroup">
      <tr role="row"><th role="columnheader" scope="col">${t('name')}</th><th role="columnheader" scope="col" class="num">${t('size')}</th><th role="columnheader" scope="col">${t('deleted.when')}</th><th role="columnheader" scope="col"><span class="sr">${t('actions')}</span></th></tr>
    </thead>
    <tbody role="rowgroup">
      ${list.map(
        (one) => html`<tr role="row" key=${one.marker}>
          <th role="rowheader" scope="row" class="wrap"><div class="name"><${Icon} name=${iconOf(one.key)} /><span><${Name} text=${one.key.slice(prefix.length)} /></span></div></th>
          <td role="cell" class="num" data-l=${t('size')}>${size(one.bytes)}</td>
          <td role="cell" data-l=${t('deleted.when')} title=${one.deleted}>${when(one.deleted)}</td>
          <td role="cell" class="fit">${one.bytes !== undefined && html`<button type="button" class="btn small" aria-label=${t('deleted.back.of', { name: lastSegment(one.key) })} onClick=${() => back(one)}><${Icon} name="undo" />${t('deleted.back')}</button>`}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}
