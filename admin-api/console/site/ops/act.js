import { useState } from 'preact/hooks';
import { adminToken, asProblem, look } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { mayAct, toast } from '../store.js';
import { t } from '../words/words.js';

/** Asks for an admin token, or lets it go. */
export function ActButton() {
  const [asked, setAsked] = useState(false);
  if (mayAct.value) {
    const leave = () => {
      adminToken.value = '';
      mayAct.value = false;
    };
    return html`<button type="button" class="btn" aria-label=${t('act.end')} onClick=${leave}><${Icon} name="lock" /><span class="only-wide">${t('act.end')}</span></button>`;
  }
  return html`<button type="button" class="btn" aria-label=${t('act')} onClick=${() => setAsked(true)}><${Icon} name="key" /><span class="only-wide">${t('act')}</span></button>
    ${asked && html`<${AskToken} close=${() => setAsked(false)} />`}`;
}

/** @param {{ close: () => void }} props */
function AskToken({ close }) {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    adminToken.value = token.trim();
    try {
      await look('/settings');
      mayAct.value = true;
      close();
    } catch (error) {
      adminToken.value = '';
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="act-form" class="btn primary">${t('act')}</button>`;
  return html`<${Dialog} id="act" title=${t('act')} close=${close} submit=${submit} footer=${footer}>
    <p>${t('act.text')}</p>
    <div class="field">
      <label for="act-token">${t('token')}</label>
      <input class="input code" id="act-token" type="password" autofocus required autocomplete="off" spellcheck="false" value=${token} onInput=${(/** @type {any} */ event) => setToken(event.currentTarget.value)} aria-describedby="act-hint${problem ? ' act-wrong' : ''}" aria-invalid=${problem ? 'true' : undefined} />
      <p class="hint" id="act-hint">${t('act.hint')} <code>cofre-data/admin-token</code>.</p>
      ${problem && html`<p class="wrong" id="act-wrong" role="alert"><${Icon} name="crit" />${problem.status === 401 ? t('act.wrong') : problem.told}</p>`}
    </div>
  <//>`;
}

/** Does something, says that it is done, or why it was not. @param {() => Promise<any>} step @param {string} [said] @param {() => void} [after] */
export async function doing(step, said, after) {
  try {
    await step();
    if (said) toast('ok', said);
  } catch (error) {
    toast('warn', asProblem(error).told);
  }
  after?.();
}

/**
 * A question before what cannot be undone; with `typed`, that must be written first.
 * @param {{ title: string, text: string, act: string, typed?: string, close: () => void, run: () => Promise<any> }} props
 */
export function Sure({ title, text, act, typed, close, run }) {
  const [written, setWritten] = useState('');
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    try {
      await run();
      close();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" autofocus=${!typed} onClick=${close}>${t('cancel')}</button><button type="submit" form="sure-form" class="btn danger" disabled=${typed !== undefined && written !== typed}>${act}</button>`;
  return html`<${Dialog} id="sure" title=${title} close=${close} submit=${submit} footer=${footer}>
    <p>${text}</p>
    ${typed !== undefined &&
    html`<div class="field"><label for="sure-typed">${t('sure.type', { typed })}</label><input class="input code" id="sure-typed" autofocus autocomplete="off" spellcheck="false" value=${written} onInput=${(/** @type {any} */ event) => setWritten(event.currentTarget.value)} /></div>`}
    ${problem && html`<p class="wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`}
  <//>`;
}

/** A secret that is told once: it must be said that it is kept. @param {{ title: string, secrets: [string, string][], close: () => void }} props */
export function Once({ title, secrets, close }) {
  const footer = html`<button type="button" class="btn primary" onClick=${close}>${t('secret.kept')}</button>`;
  return html`<${Dialog} id="once" title=${title} close=${() => {}} footer=${footer}>
    <div class="notice warn"><${Icon} name="warn" /><div><p>${t('secret.once')}</p></div></div>
    ${secrets.map(([name, value], index) => html`<div class="field" key=${name}><label for=${`once-${index}`}>${name}</label><input class="input code" id=${`once-${index}`} readonly value=${value} onFocus=${(/** @type {any} */ event) => event.currentTarget.select()} /></div>`)}
  <//>`;
}
