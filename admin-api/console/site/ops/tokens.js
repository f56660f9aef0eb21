import { useState } from 'preact/hooks';
import { act, asProblem, look } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { mayAct } from '../store.js';
import { t } from '../words/words.js';
import { ActButton, Once, Sure } from './act.js';
import { Top } from '../parts/frame.js';
import { OpsFrame } from './page.js';
import { usePoll } from './poll.js';

/** @typedef {{ id: string, note: string, scope: 'read' | 'operate' | 'admin', created: string, expires?: string | null }} Token */

/** Admin tokens, which only a token of the widest scope may see. */
export function TokensPage() {
  if (!mayAct.value) {
    return html`<${Top} title=${t('ops.tokens')}><${ActButton} /><//><div class="page"><div class="empty"><${Icon} name="key" /><h2>${t('tokens.locked')}</h2><p>${t('tokens.locked.text')}</p></div></div>`;
  }
  return html`<${Tokens} />`;
}

function Tokens() {
  const poll = usePoll(async () => (await look('/tokens', { query: { limit: 1000 } })).items);
  const [shown, setShown] = useState(/** @type {null | 'make' | { made: any } | { revoke: Token }} */ (null));
  const close = () => setShown(null);
  const actions = html`<button type="button" class="btn primary" onClick=${() => setShown('make')}><${Icon} name="plus" />${t('token.new')}</button>`;
  return html`<${OpsFrame} title=${t('ops.tokens')} poll=${poll} actions=${actions}>${(/** @type {Token[]} */ list) => html`<table class="table still cards" role="table" aria-label=${t('ops.tokens')}>
      <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${t('token.note')}</th><th role="columnheader" scope="col">${t('token.scope')}</th><th role="columnheader" scope="col">${t('created')}</th><th role="columnheader" scope="col">${t('me.ends')}</th><th role="columnheader" scope="col"><span class="sr">${t('actions')}</span></th></tr></thead>
      <tbody role="rowgroup">
        ${list.map(
          (one) => html`<tr role="row" key=${one.id}>
            <th role="rowheader" scope="row">${one.note || '—'}<span class="sub"><code>${one.id}</code></span></th>
            <td role="cell" data-l=${t('token.scope')}>${t(`scope.${one.scope}`)}</td>
            <td role="cell" data-l=${t('created')}>${when(one.created)}</td>
            <td role="cell" data-l=${t('me.ends')}>${when(one.expires)}</td>
            <td role="cell" class="fit"><button type="button" class="btn small" aria-label=${t('token.revoke.of', { name: one.note || one.id })} onClick=${() => setShown({ revoke: one })}>${t('token.revoke')}</button></td>
          </tr>`,
        )}
      </tbody>
    </table>`}<//>
    ${shown === 'make' && html`<${MakeToken} close=${close} done=${(/** @type {any} */ made) => { setShown({ made }); poll.again(); }} />`}
    ${shown !== null && typeof shown === 'object' && 'made' in shown && html`<${Once} title=${t('token.made')} secrets=${[[t('token'), shown.made.secret]]} close=${close} />`}
    ${shown !== null && typeof shown === 'object' && 'revoke' in shown && html`<${Sure} title=${t('token.revoke')} text=${t('token.revoke.text', { name: shown.revoke.note || shown.revoke.id })} act=${t('token.revoke')} close=${close} run=${async () => { await act('DELETE', `/tokens/${encodeURIComponent(shown.revoke.id)}`); poll.again(); }} />`}`;
}

/** @param {{ close: () => void, done: (made: any) => void }} props */
function MakeToken({ close, done }) {
  const [note, setNote] = useState('');
  const [scope, setScope] = useState('read');
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    try {
      done(await act('POST', '/tokens', { json: { scope, note } }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="token-form" class="btn primary">${t('token.make')}</button>`;
  return html`<${Dialog} id="token" title=${t('token.new')} close=${close} submit=${submit} footer=${footer}>
    <div class="field"><label for="token-note">${t('token.note')}</label><input class="input" id="token-note" autofocus maxlength="256" autocomplete="off" value=${note} onInput=${(/** @type {any} */ event) => setNote(event.currentTarget.value)} /></div>
    <div class="field"><label for="token-scope">${t('token.scope')}</label>
      <select class="input" id="token-scope" value=${scope} onChange=${(/** @type {any} */ event) => setScope(event.currentTarget.value)}>${['read', 'operate', 'admin'].map((one) => html`<option key=${one} value=${one}>${t(`scope.${one}`)}</option>`)}</select></div>
    ${problem && html`<p class="wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}
  <//>`;
}
