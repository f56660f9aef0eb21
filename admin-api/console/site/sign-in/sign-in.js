import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, call } from '../door.js';
import { nextLanguage, nextTheme } from '../parts/frame.js';
import { html } from '../parts/html.js';
import { Icon, Mark } from '../parts/icon.js';
import { setSession } from '../store.js';
import { language, t } from '../words/words.js';

/** The dial on the door: rings of marks around the mark. */
function Dial() {
  const ring = (/** @type {number} */ r, /** @type {string} */ dash, /** @type {number} */ length, /** @type {number} */ width) =>
    html`<circle cx="0" cy="0" r=${r} pathLength=${length} stroke-dasharray=${dash} stroke-width=${width} />`;
  return html`<svg class="dial only-wide" viewBox="-220 -220 440 440">
    <circle r="214" stroke-width="1" />${ring(196, '6 94', 10_000, 12)}${ring(192, '3 97', 2000, 26)}<circle r="168" stroke-width="1" /><circle r="104" stroke-width="1" />${ring(100, '12 88', 6000, 5)}
    <${Mark} x="-70" y="-70" width="140" height="140" /><path d="M-6-219h12l-6 13z" class="index" />
  </svg>`;
}

/** The page where one signs in. */
export function SignIn() {
  const [wrong, setWrong] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const key = useRef(/** @type {HTMLInputElement | null} */ (null));
  const secret = useRef(/** @type {HTMLInputElement | null} */ (null));
  const keep = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    document.title = t('sign_in.title');
  }, [language.value]);
  useEffect(() => {
    document.body.className = 'open';
    key.current?.focus();
    return () => {
      document.body.className = '';
    };
  }, []);

  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    const json = { access_key_id: key.current?.value.trim() ?? '', secret_access_key: secret.current?.value ?? '', keep: keep.current?.checked ?? false };
    try {
      setSession(await call('POST', '/session', { json }));
    } catch (error) {
      setWrong(asProblem(error));
      setBusy(false);
      if (secret.current) secret.current.value = '';
      secret.current?.focus();
    }
  };

  const insecure = location.protocol === 'http:' && !/^(localhost|127\.|\[::1\])/.test(location.hostname);
  return html`<a class="skip" href="#content">${t('skip')}</a>
    <div class="door">
      <div class="leaf" aria-hidden="true"><div class="inset"><${Dial} /><${Mark} class="mark only-small" /><p>Cofre</p><p>${t('motto')}</p></div></div>
      <main id="content" tabindex="-1">
        <form class="stack" onSubmit=${submit}>
          <div><h1>${t('sign_in')}</h1><p class="mid">${t('sign_in.at')} <strong>${location.host}</strong></p></div>
          ${insecure && html`<div class="notice warn"><${Icon} name="warn" /><div><p>${t('sign_in.insecure')}</p></div></div>`}
          <div class="field">
            <label for="key">${t('access_key')}</label>
            <input ref=${key} class="input code" id="key" autocomplete="username" autocapitalize="off" spellcheck="false" required />
          </div>
          <div class="field">
            <label for="secret">${t('secret')}</label>
            <div class="with">
              <input ref=${secret} class="input code" id="secret" type=${shown ? 'text' : 'password'} autocomplete="current-password" spellcheck="false" required aria-describedby=${wrong ? 'wrong' : undefined} aria-invalid=${wrong ? 'true' : undefined} />
              <button type="button" class="btn icon quiet small" aria-label=${t('secret.show')} title=${t('secret.show')} aria-pressed=${shown} onClick=${() => setShown(!shown)}><${Icon} name="eye" /></button>
            </div>
            ${wrong && html`<p class="wrong" id="wrong" role="alert"><${Icon} name="crit" />${wrong.told}</p>`}
          </div>
          <label class="check"><input ref=${keep} type="checkbox" /><span>${t('sign_in.keep')}</span></label>
          <button type="submit" class="btn primary wide" disabled=${busy}>${t('sign_in')}</button>
          <p class="small dim">${t('sign_in.first')} <code>cofre-data/credentials</code>.</p>
        </form>
        <footer class="row between">
          <span class="small dim">Cofre</span>
          <span class="row tight">
            <button type="button" class="btn quiet small" lang=${language.value === 'en' ? 'pt-BR' : 'en'} onClick=${nextLanguage}><${Icon} name="globe" />${t('language.other')}</button>
            <button type="button" class="btn quiet small" onClick=${nextTheme}><${Icon} name="half" />${t('theme')}</button>
          </span>
        </footer>
      </main>
    </div>`;
}
