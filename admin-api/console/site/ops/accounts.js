import { useState } from 'preact/hooks';
import { act, asProblem, look } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { number, size, when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { go, mayAct, place } from '../store.js';
import { t } from '../words/words.js';
import { Once, Sure, doing } from './act.js';
import { OpsFrame } from './page.js';
import { usePoll } from './poll.js';

/**
 * @typedef {{ id: string, display_name: string, email: string, root: boolean, disabled: boolean, created: string, quota: { bytes_max?: number | null, objects_max?: number | null }, usage: { buckets: number, objects: number, bytes: number } }} Account
 * @typedef {{ access_key_id: string, disabled: boolean, created: string, expires?: string | null, note: string }} Key
 */

/** Accounts, or one of them. */
export function AccountsPage() {
  const id = place.value.path.split('/')[3];
  return id ? html`<${OneAccount} key=${id} id=${id} />` : html`<${AllAccounts} />`;
}

function AllAccounts() {
  const poll = usePoll(async () => (await look('/accounts', { query: { limit: 1000 } })).items);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(/** @type {any} */ (null));
  return html`<${OpsFrame} title=${t('ops.accounts')} poll=${poll} actions=${mayAct.value && html`<button type="button" class="btn primary" onClick=${() => setMaking(true)}><${Icon} name="plus" />${t('account.new')}</button>`}>${(/** @type {Account[]} */ list) => html`<table class="table still cards" role="table" aria-label=${t('ops.accounts')}>
      <thead role="rowgroup">
        <tr role="row"><th role="columnheader" scope="col">${t('name')}</th><th role="columnheader" scope="col" class="num">${t('buckets')}</th><th role="columnheader" scope="col" class="num">${t('objects')}</th><th role="columnheader" scope="col" class="num">${t('size')}</th><th role="columnheader" scope="col">${t('quota')}</th></tr>
      </thead>
      <tbody role="rowgroup">
        ${list.map(
          (one) => html`<tr role="row" key=${one.id}>
            <th role="rowheader" scope="row"><a href=${`/ops/accounts/${one.id}`}>${one.display_name}</a> ${one.root && html`<span class="badge">${t('account.root')}</span>`} ${one.disabled && html`<span class="badge warn">${t('disabled')}</span>`}<span class="sub">${one.email}</span></th>
            <td role="cell" class="num" data-l=${t('buckets')}>${number(one.usage.buckets)}</td>
            <td role="cell" class="num" data-l=${t('objects')}>${number(one.usage.objects)}</td>
            <td role="cell" class="num" data-l=${t('size')}>${size(one.usage.bytes)}</td>
            <td role="cell" data-l=${t('quota')}>${one.quota.bytes_max ? size(one.quota.bytes_max) : '—'}</td>
          </tr>`,
        )}
      </tbody>
    </table>`}<//>
    ${making && html`<${MakeAccount} close=${() => setMaking(false)} done=${(/** @type {any} */ came) => { setMade(came); poll.again(); }} />`}
    ${made && html`<${Once} title=${t('account.made', { name: made.display_name })} secrets=${[[t('access_key'), made.access_key_id], [t('secret'), made.secret_access_key]]} close=${() => setMade(null)} />`}`;
}

/** @param {{ close: () => void, done: (made: any) => void }} props */
function MakeAccount({ close, done }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    try {
      const made = await act('POST', '/accounts', { json: { display_name: name } });
      close();
      done(made);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="account-form" class="btn primary">${t('account.make')}</button>`;
  return html`<${Dialog} id="account" title=${t('account.new')} close=${close} submit=${submit} footer=${footer}>
    <div class="field"><label for="account-name">${t('name')}</label><input class="input" id="account-name" autofocus required maxlength="64" autocomplete="off" value=${name} onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)} aria-describedby=${problem ? 'account-wrong' : undefined} aria-invalid=${problem ? 'true' : undefined} />
    ${problem && html`<p class="wrong" id="account-wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}</div>
  <//>`;
}

/** @param {{ id: string }} props */
function OneAccount({ id }) {
  const poll = usePoll(async () => {
    const [account, keys] = await Promise.all([look(`/accounts/${encodeURIComponent(id)}`), look(`/accounts/${encodeURIComponent(id)}/keys`, { query: { limit: 1000 } })]);
    return { account, keys: keys.items };
  });
  const [shown, setShown] = useState(/** @type {null | 'delete' | 'quota' | { remove: string } | { made: any }} */ (null));
  const path = `/accounts/${encodeURIComponent(id)}`;
  const name = poll.data?.account.display_name ?? '';
  const close = () => setShown(null);
  const make = () => doing(async () => setShown({ made: await act('POST', `${path}/keys`, { json: {} }) }), undefined, poll.again);
  const can = mayAct.value && poll.data && !poll.data.account.root;
  const actions = can && html`<button type="button" class="btn primary" onClick=${make}><${Icon} name="plus" />${t('key.new')}</button>
    <${Menu} class="btn icon quiet" id="account-more" label=${t('actions.of', { name })} button=${html`<${Icon} name="more" />`}>
      <button type="button" role="menuitem" onClick=${() => setShown('quota')}><${Icon} name="scale" />${t('quota.set')}</button>
      <button type="button" role="menuitem" onClick=${() => doing(() => act('PATCH', path, { json: { disabled: !poll.data?.account.disabled } }), t('saved'), poll.again)}><${Icon} name="pause" />${t(poll.data?.account.disabled ? 'enable' : 'disable')}</button>
      <hr />
      <button type="button" role="menuitem" onClick=${() => setShown('delete')}><${Icon} name="trash" />${t('account.delete')}</button>
    <//>`;
  return html`<${OpsFrame} title=${name || t('ops.accounts')} trail=${[{ href: '/ops/accounts', name: t('ops.accounts') }]} poll=${poll} actions=${actions}>${(/** @type {{ account: Account, keys: Key[] }} */ { account, keys }) => html`<dl class="facts">
        <div><dt>${t('buckets')}</dt><dd class="num">${number(account.usage.buckets)}</dd></div><div><dt>${t('objects')}</dt><dd class="num">${number(account.usage.objects)}${account.quota.objects_max ? ` / ${number(account.quota.objects_max)}` : ''}</dd></div><div><dt>${t('size')}</dt><dd class="num">${size(account.usage.bytes)}${account.quota.bytes_max ? ` / ${size(account.quota.bytes_max)}` : ''}</dd></div>
      </dl>
      ${account.disabled && html`<div class="notice warn"><${Icon} name="warn" /><div><p>${t('account.disabled')}</p></div></div>`}
      <section class="section"><div class="head"><h2>${t('keys')}</h2></div>
      <${Keys} keys=${keys} again=${poll.again} show=${setShown} /></section>`}<//>
    ${shown === 'delete' && html`<${Sure} title=${t('account.delete')} text=${t('account.delete.text')} act=${t('account.delete')} typed=${name} close=${close} run=${async () => { await act('DELETE', path); go('/ops/accounts'); }} />`}
    ${shown === 'quota' && html`<${SetQuota} path=${path} quota=${poll.data?.account.quota ?? {}} close=${close} done=${poll.again} />`}
    ${shown !== null && typeof shown === 'object' && 'remove' in shown && html`<${Sure} title=${t('key.delete')} text=${t('key.delete.text', { id: shown.remove })} act=${t('key.delete')} close=${close} run=${async () => { await act('DELETE', `/keys/${encodeURIComponent(shown.remove)}`); poll.again(); }} />`}
    ${shown !== null && typeof shown === 'object' && 'made' in shown && html`<${Once} title=${t('key.made')} secrets=${[[t('access_key'), shown.made.access_key_id], [t('secret'), shown.made.secret_access_key]]} close=${close} />`}`;
}

/** @param {{ keys: Key[], again: () => void, show: (shown: any) => void }} props */
function Keys({ keys, again, show }) {
  return html`<table class="table still cards" role="table" aria-label=${t('keys')}>
    <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${t('access_key')}</th><th role="columnheader" scope="col">${t('created')}</th><th role="columnheader" scope="col">${t('me.ends')}</th><th role="columnheader" scope="col"><span class="sr">${t('actions')}</span></th></tr></thead>
    <tbody role="rowgroup">
      ${keys.map((one) => {
        const path = `/keys/${encodeURIComponent(one.access_key_id)}`;
        return html`<tr role="row" key=${one.access_key_id}>
          <th role="rowheader" scope="row"><code>${one.access_key_id}</code> ${one.disabled && html`<span class="badge warn">${t('disabled')}</span>`}<span class="sub">${one.note}</span></th>
          <td role="cell" data-l=${t('created')}>${when(one.created)}</td>
          <td role="cell" data-l=${t('me.ends')}>${when(one.expires)}</td>
          <td role="cell" class="fit">
            ${mayAct.value &&
            html`<${Menu} class="btn icon quiet small" id=${`key-${one.access_key_id}`} label=${t('actions.of', { name: one.access_key_id })} button=${html`<${Icon} name="more" />`}>
              <button type="button" role="menuitem" onClick=${() => doing(async () => show({ made: await act('POST', `${path}/rotate`, { json: { keep_old_seconds: 3600 } }) }), undefined, again)}><${Icon} name="refresh" />${t('key.rotate')}</button>
              <button type="button" role="menuitem" onClick=${() => doing(() => act('PATCH', path, { json: { disabled: !one.disabled } }), t('saved'), again)}><${Icon} name="pause" />${t(one.disabled ? 'enable' : 'disable')}</button>
              <hr /><button type="button" role="menuitem" onClick=${() => show({ remove: one.access_key_id })}><${Icon} name="trash" />${t('key.delete')}</button>
            <//>`}
          </td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}

/** @param {{ path: string, quota: { bytes_max?: number | null, objects_max?: number | null }, close: () => void, done: () => void }} props */
function SetQuota({ path, quota, close, done }) {
  const [gib, setGib] = useState(quota.bytes_max ? String(quota.bytes_max / 2 ** 30) : '');
  const [objects, setObjects] = useState(quota.objects_max ? String(quota.objects_max) : '');
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    try {
      const bytes_max = gib === '' ? null : Math.round(Number(gib) * 2 ** 30);
      await act('PUT', `${path}/quota`, { json: { bytes_max, objects_max: objects === '' ? null : Number(objects) } });
      close();
      done();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="quota-form" class="btn primary">${t('save')}</button>`;
  return html`<${Dialog} id="quota" title=${t('quota.set')} close=${close} submit=${submit} footer=${footer}>
    <div class="field"><label for="quota-gib">${t('quota.gib')}</label><input class="input" id="quota-gib" type="number" min="0" step="any" autofocus value=${gib} onInput=${(/** @type {any} */ event) => setGib(event.currentTarget.value)} /></div>
    <div class="field"><label for="quota-objects">${t('quota.objects')}</label><input class="input" id="quota-objects" type="number" min="0" step="1" value=${objects} onInput=${(/** @type {any} */ event) => setObjects(event.currentTarget.value)} /></div>
    <p class="hint">${t('quota.hint')}</p>
    ${problem && html`<p class="wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}
  <//>`;
}
