import { useEffect, useState } from 'preact/hooks';
import { asProblem, call } from '../door.js';
import { when } from '../parts/format.js';
import { Top } from '../parts/frame.js';
import { html } from '../parts/html.js';
import { Failed, Loading } from '../parts/states.js';
import { toast } from '../store.js';
import { language, t } from '../words/words.js';

/** @typedef {{ id: string, access_key_id: string, created: string, seen: string, expires: string, address: string, agent: string, this: boolean }} Listed */

/** The sessions of the account. */
export function MePage() {
  const [list, setList] = useState(/** @type {Listed[] | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const read = async () => {
    try {
      setList((await call('GET', '/sessions')).items);
      setProblem(null);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useEffect(() => {
    read();
  }, []);
  useEffect(() => {
    document.title = `${t('me.sessions')} · Cofre`;
  }, [language.value]);
  /** @param {Listed} one */
  const end = async (one) => {
    try {
      await call('DELETE', `/sessions/${encodeURIComponent(one.id)}`);
      toast('ok', t('me.ended'));
    } catch (error) {
      toast('warn', asProblem(error).told);
    }
    read();
  };
  return html`<${Top} title=${t('me.sessions')} />
    <div class="page">
      <div class="head"><div class="text"><p>${t('me.text')}</p></div></div>
      ${problem ? html`<${Failed} problem=${problem} again=${read} />` : list === undefined ? html`<${Loading} />` : html`<${List} list=${list} end=${end} />`}
    </div>`;
}

/** @param {{ list: Listed[], end: (one: Listed) => void }} props */
function List({ list, end }) {
  return html`<table class="table still cards" role="table" aria-label=${t('me.sessions')}>
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col">${t('me.browser')}</th>
        <th role="columnheader" scope="col">${t('me.address')}</th>
        <th role="columnheader" scope="col">${t('me.seen')}</th>
        <th role="columnheader" scope="col">${t('me.ends')}</th>
        <th role="columnheader" scope="col"><span class="sr">${t('actions')}</span></th>
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${list.map(
        (one) => html`<tr role="row" key=${one.id}>
          <th role="rowheader" scope="row" class="wrap">${browserOf(one.agent)} ${one.this && html`<span class="badge">${t('me.this')}</span>`}<span class="sub"><code>${one.access_key_id}</code></span></th>
          <td role="cell" data-l=${t('me.address')}>${one.address || '—'}</td>
          <td role="cell" data-l=${t('me.seen')}>${when(one.seen)}</td>
          <td role="cell" data-l=${t('me.ends')}>${when(one.expires)}</td>
          <td role="cell" class="fit">${!one.this && html`<button type="button" class="btn small" onClick=${() => end(one)}>${t('me.end')}</button>`}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** The name of a browser in what it calls itself. @param {string} agent */
function browserOf(agent) {
  const system = /Android|iPhone|iPad|Windows|Mac OS X|CrOS|Linux/.exec(agent)?.[0];
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/\d+/.exec(agent)?.[1]?.replace('Edg', 'Edge').replace('OPR', 'Opera');
  return [browser, system].filter(Boolean).join(' · ') || agent || '—';
}
