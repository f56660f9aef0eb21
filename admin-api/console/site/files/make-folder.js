import { useState } from 'preact/hooks';
import { asProblem, at, call } from '../door.js';
import { Dialog } from '../parts/dialog.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { t } from '../words/words.js';

/** Asks for the name of a new folder. @param {{ bucket: string, prefix: string, close: () => void, done: () => void }} props */
export function MakeFolder({ bucket, prefix, close, done }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const submit = async () => {
    try {
      await call('POST', `${at(bucket)}/folders`, { json: { prefix: `${prefix}${name}/` } });
      close();
      done();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const footer = html`<button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button type="submit" form="make-folder-form" class="btn primary">${t('folder.make')}</button>`;
  return html`<${Dialog} id="make-folder" title=${t('folder.new')} close=${close} submit=${submit} footer=${footer}>
    <div class="field">
      <label for="folder-name">${t('name')}</label>
      <input class="input" id="folder-name" autofocus required pattern="[^\\/]+" maxlength="255" autocomplete="off" value=${name} onInput=${(/** @type {any} */ event) => setName(event.currentTarget.value)} aria-describedby=${problem ? 'folder-wrong' : undefined} aria-invalid=${problem ? 'true' : undefined} />
      ${problem && html`<p class="wrong" id="folder-wrong" role="alert"><${Icon} name="crit" />${problem.code === 'PreconditionFailed' ? t('folder.there') : problem.told}</p>`}
    </div>
  <//>`;
}
