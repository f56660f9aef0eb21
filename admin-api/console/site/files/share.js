import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, at, call } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { moment } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { t } from '../words/words.js';

const HOUR = 3_600;
/** How long links last. @type {[number, string][]} */
const LIVES = [[HOUR, 'share.hour'], [24 * HOUR, 'share.day'], [7 * 24 * HOUR, 'share.week']];

/** A link to an object, with a picture of it for telephones. @param {{ bucket: string, object: string, close: () => void }} props */
export function Share({ bucket, object, close }) {
  const [seconds, setSeconds] = useState(24 * HOUR);
  const [link, setLink] = useState(/** @type {{ url: string, expires: string } | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [copied, setCopied] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    let over = false;
    setCopied(false);
    call('POST', `${at(bucket)}/links`, { json: { key: object, seconds } }).then(
      (made) => !over && setLink(made),
      (error) => !over && setProblem(asProblem(error)),
    );
    return () => {
      over = true;
    };
  }, [seconds]);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(link?.url ?? '');
    } catch {
      // Without TLS browsers have no clipboard for pages; the text is selected for a hand to copy.
      document.execCommand('copy');
    }
    setCopied(true);
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('close')}</button>`;
  return html`<${Dialog} id="share" title=${t('share')} close=${close} footer=${footer}>
    <p><${Name} text=${object} /></p>
    <p class="mid">${t('share.text')}</p>
    ${problem
      ? html`<p class="wrong" role="alert"><${Icon} name="crit" />${problem.told}</p>`
      : html`<div class="two lean">
          <div class="stack tight">
            <div class="field">
              <label for="share-life">${t('share.until')}</label>
              <select class="input" id="share-life" autofocus value=${String(seconds)} onChange=${(/** @type {any} */ event) => setSeconds(Number(event.currentTarget.value))}>
                ${LIVES.map(([life, word]) => html`<option key=${life} value=${String(life)}>${t(word)}</option>`)}
              </select>
              <p class="hint">${link ? t('share.ends', { when: moment(link.expires) }) : ''} ${t('share.final')}</p>
            </div>
            <input ref=${field} class="input code" id="share-url" readonly value=${link?.url ?? ''} aria-label=${t('share.link')} />
            <div class="row"><button type="button" class="btn primary" disabled=${link === null} onClick=${copy}><${Icon} name="copy" />${t('share.copy')}</button><span role="status">${copied ? t('share.copied') : ''}</span></div>
          </div>
          <${Qr} text=${link?.url ?? ''} />
        </div>`}
  <//>`;
}

/** A text as a QR code. @param {{ text: string }} props */
function Qr({ text }) {
  const [path, setPath] = useState({ size: 0, d: '' });
  useEffect(() => {
    if (text === '') return;
    import('lean-qr').then(({ generate }) => {
      const code = generate(text);
      let d = '';
      for (let y = 0; y < code.size; y += 1) {
        for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) d += `M${x} ${y}h1v1h-1z`;
      }
      setPath({ size: code.size, d });
    });
  }, [text]);
  if (path.size === 0) return html`<div class="box qr"></div>`;
  const view = `-2 -2 ${path.size + 4} ${path.size + 4}`;
  return html`<div class="stack tight"><div class="box qr"><svg class="qr" viewBox=${view} role="img" aria-label=${t('share.qr')}><path fill="#fff" d=${`M-2-2h${path.size + 4}v${path.size + 4}h-${path.size + 4}z`} /><path fill="#101718" d=${path.d} /></svg></div><p class="hint">${t('share.camera')}</p></div>`;
}
