import { useEffect, useState } from 'preact/hooks';
import { asProblem, at, call, downloadHref } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { size, when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { Failed, Loading } from '../parts/states.js';
import { toast } from '../store.js';
import { t } from '../words/words.js';

/** @typedef {{ version: string, current: boolean, delete_marker: boolean, bytes: number, modified: string }} Version */

/** The versions of an object. @param {{ bucket: string, object: string, close: () => void, changed: () => void }} props */
export function Versions({ bucket, object, close, changed }) {
  const [list, setList] = useState(/** @type {Version[] | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [next, setNext] = useState(/** @type {string | undefined} */ (undefined));
  const more = async () => {
    try {
      const page = await call('GET', `${at(bucket)}/versions`, { query: { key: object, after: next } });
      setList((before) => [...(before ?? []), ...page.items]);
      setNext(page.next);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const read = async () => {
    try {
      const page = await call('GET', `${at(bucket)}/versions`, { query: { key: object } });
      setList(page.items);
      setNext(page.next);
      setProblem(null);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useEffect(() => {
    read();
  }, []);
  /** @param {string} version */
  const restore = async (version) => {
    try {
      await call('POST', `${at(bucket)}/restore`, { json: { key: object, version } });
      toast('rewind', t('restored'));
      changed();
      await read();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('close')}</button>`;
  return html`<${Dialog} id="versions" title=${t('versions')} close=${close} footer=${footer}>
    <p><${Name} text=${object} /></p>
    ${problem ? html`<${Failed} problem=${problem} again=${read} />` : list === undefined ? html`<${Loading} />` : html`<${List} bucket=${bucket} object=${object} list=${list} restore=${restore} />`}
    ${next && html`<button type="button" class="btn small" onClick=${more}>${t('more')}</button>`}
  <//>`;
}

/** @param {{ bucket: string, object: string, list: Version[], restore: (version: string) => void }} props */
function List({ bucket, object, list, restore }) {
  return html`<table class="table still" aria-label=${t('versions')}>
    <thead>
      <tr><th scope="col">${t('modified')}</th><th scope="col" class="num">${t('size')}</th><td><span class="sr">${t('actions')}</span></td></tr>
    </thead>
    <tbody>
      ${list.map(
        (one) => html`<tr key=${one.version}>
          <th scope="row" title=${one.modified}>${when(one.modified)}${one.current && html` <span class="badge">${t('version.current')}</span>`}</th>
          <td class="num">${one.delete_marker ? t('version.marker') : size(one.bytes)}</td>
          <td class="fit">
            ${!one.delete_marker &&
            html`<span class="row tight">
              <a class="btn icon quiet small" href=${downloadHref(bucket, object, one.version)} download="" aria-label=${t('download')} title=${t('download')}><${Icon} name="download" /></a>
              ${!one.current && html`<button type="button" class="btn small" onClick=${() => restore(one.version)}>${t('restore')}</button>`}
            </span>`}
          </td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}
