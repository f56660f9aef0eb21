import { useEffect, useState } from 'preact/hooks';
import { act, asProblem, look } from '../door.js';
import { when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { mayAct, toast } from '../store.js';
import { t } from '../words/words.js';
import { Sure } from './act.js';
import { OpsFrame } from './page.js';
import { usePoll } from './poll.js';

/** @typedef {{ revision: number, author: string, at: string, note: string }} Revision */
/** @typedef {{ revision: number, document: Record<string, any> }} Settings */

/** The dynamic settings: the document, its history, and what changed in between. */
export function SettingsPage() {
  const poll = usePoll(async () => {
    const [settings, history] = await Promise.all([look('/settings'), look('/settings/history', { query: { limit: 50 } })]);
    return { settings, history: history.items };
  });
  const [shown, setShown] = useState(/** @type {null | { back: number } | { diff: Revision }} */ (null));
  const close = () => setShown(null);
  const now = poll.data?.settings.revision;
  return html`<${OpsFrame} title=${t('ops.settings')} poll=${poll}>${(/** @type {{ settings: Settings, history: Revision[] }} */ { settings, history }) => html`<div class="head"><div class="text"><p>${t('settings.text')}</p></div></div>
      <${Document} settings=${settings} again=${poll.again} />
      <section class="section"><div class="head"><h2>${t('settings.history')}</h2></div>
        <table class="table still cards" role="table" aria-label=${t('settings.history')}>
          <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${t('settings.revision')}</th><th role="columnheader" scope="col">${t('event.at')}</th><th role="columnheader" scope="col">${t('event.actor')}</th><th role="columnheader" scope="col"><span class="sr">${t('actions')}</span></th></tr></thead>
          <tbody role="rowgroup">
            ${history.map(
              (one) => html`<tr role="row" key=${one.revision}>
                <th role="rowheader" scope="row">${one.revision} ${one.revision === now && html`<span class="badge">${t('version.current')}</span>`}<span class="sub">${one.note}</span></th>
                <td role="cell" data-l=${t('event.at')} title=${one.at}>${when(one.at)}</td>
                <td role="cell" class="wrap" data-l=${t('event.actor')}>${one.author}</td>
                <td role="cell" class="fit"><span class="row tight"><button type="button" class="btn small" aria-label=${t('settings.diff.of', { n: one.revision })} onClick=${() => setShown({ diff: one })}>${t('settings.diff')}</button>
                  ${mayAct.value && one.revision !== now && html`<button type="button" class="btn small" aria-label=${t('settings.back.of', { n: one.revision })} onClick=${() => setShown({ back: one.revision })}>${t('settings.back')}</button>`}</span></td>
              </tr>`,
            )}
          </tbody>
        </table>
      </section>
      ${shown && 'diff' in shown && html`<${Diff} key=${shown.diff.revision} from=${shown.diff.revision} />`}`}<//>
    ${shown && 'back' in shown && html`<${Sure} title=${t('settings.back')} text=${t('settings.back.text', { n: shown.back })} act=${t('settings.back')} close=${close} run=${async () => { await act('POST', '/settings/rollback', { json: { to: shown.back }, headers: { 'if-match': `"${now}"` } }); toast('ok', t('saved')); poll.again(); }} />`}`;
}

/** What differs between a revision and what is in force. @param {{ from: number }} props */
function Diff({ from }) {
  const [changes, setChanges] = useState(/** @type {{ field: string, before: any, after: any }[] | undefined} */ (undefined));
  useEffect(() => {
    look('/settings/diff', { query: { from } }).then((came) => setChanges(came.changes), () => setChanges([]));
  }, []);
  if (changes === undefined) return null;
  return html`<section class="section" aria-live="polite"><div class="head"><h2>${t('settings.since', { n: from })}</h2></div>
    ${changes.length === 0 ? html`<p class="mid">${t('settings.same')}</p>` : html`<table class="table still" aria-label=${t('settings.since', { n: from })}><thead><tr><th scope="col">${t('settings.field')}</th><th scope="col">${t('settings.before')}</th><th scope="col">${t('settings.after')}</th></tr></thead>
      <tbody>${changes.map((one) => html`<tr key=${one.field}><th scope="row" class="wrap"><code>${one.field}</code></th><td class="wrap"><code>${JSON.stringify(one.before)}</code></td><td class="wrap"><code>${JSON.stringify(one.after)}</code></td></tr>`)}</tbody></table>`}
  </section>`;
}

/** The document as JSON: what is changed in it is saved as a merge patch. @param {{ settings: Settings, again: () => void }} props */
function Document({ settings, again }) {
  const whole = JSON.stringify(settings.document, null, 2);
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const [base, setBase] = useState(settings);
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState('');
  const changed = text !== null && text !== JSON.stringify(base.document, null, 2);
  const write = (/** @type {string} */ next) => {
    // What is typed is held against what it began with, whatever is saved meanwhile by others.
    if (text === null) setBase(settings);
    setText(next);
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setProblem('');
    let wanted;
    try {
      wanted = JSON.parse(text ?? whole);
    } catch (error) {
      setProblem(t('settings.json', { why: String(error) }));
      return;
    }
    try {
      await act('PATCH', '/settings', { query: { note }, json: patchOf(base.document, wanted), headers: { 'if-match': `"${base.revision}"` } });
      setText(null);
      setNote('');
      toast('ok', t('saved'));
      again();
    } catch (error) {
      const came = asProblem(error);
      setProblem(came.status === 412 ? t('settings.other') : came.told);
    }
  };
  return html`<form class="stack" onSubmit=${save}>
    <div class="field"><label for="settings-text">${t('settings.document', { n: settings.revision })}</label>
      <textarea class="input code" id="settings-text" rows="18" spellcheck="false" readonly=${!mayAct.value} value=${text ?? whole} onInput=${(/** @type {any} */ event) => write(event.currentTarget.value)} aria-describedby=${problem ? 'settings-wrong' : undefined} aria-invalid=${problem ? 'true' : undefined}></textarea>
      ${problem && html`<p class="wrong" id="settings-wrong" role="alert"><${Icon} name="crit" />${problem}</p>`}
    </div>
    ${mayAct.value && changed &&
    html`<div class="field"><label for="settings-note">${t('settings.note')}</label><input class="input" id="settings-note" maxlength="1000" value=${note} onInput=${(/** @type {any} */ event) => setNote(event.currentTarget.value)} /></div>
      <div class="row end"><button type="button" class="btn" onClick=${() => { setText(null); setProblem(''); }}>${t('discard')}</button><button type="submit" class="btn primary">${t('save')}</button></div>`}
  </form>`;
}

/** A merge patch (RFC 7396) that makes one document of another. @param {any} from @param {any} to @returns {any} */
export function patchOf(from, to) {
  const isMap = (/** @type {unknown} */ value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(from) || !isMap(to)) return to;
  /** @type {Record<string, any>} */
  const patch = {};
  for (const name of Object.keys(from)) if (!(name in to)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    if (JSON.stringify(from[name]) !== JSON.stringify(value)) patch[name] = name in from ? patchOf(from[name], value) : value;
  }
  return patch;
}
