// What the console says. A language is one file of flat keys; a text has {names}, or is a function of its arguments.
import { signal } from '@preact/signals';
import { words as en } from './en.js';

/** @typedef {string | ((args: Record<string, any>, plural: (n: number) => Intl.LDMLPluralRule) => string)} Text */

/** @type {Record<string, () => Promise<Record<string, Text>>>} */
const LANGUAGES = {
  en: async () => en,
  'pt-BR': async () => (await import('./pt-BR.js')).words,
};

/** The language that is spoken. */
export const language = signal('en');

/** @type {import('@preact/signals').Signal<Record<string, Text>>} */
const spoken = signal(en);

/** Speaks a language from now on. @param {string} tag */
export async function speak(tag) {
  const known = tag in LANGUAGES ? tag : 'en';
  spoken.value = (await LANGUAGES[known]?.()) ?? en;
  language.value = known;
  document.documentElement.lang = known;
}

/**
 * What is said under a key. A key that is missing shows itself.
 * @param {string} key
 * @param {Record<string, any>} [args]
 */
export function t(key, args = {}) {
  const text = spoken.value[key] ?? en[key];
  if (text === undefined) return key;
  if (typeof text === 'function') {
    const rules = new Intl.PluralRules(language.value);
    return text(args, (n) => rules.select(n));
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in args ? String(args[name]) : whole));
}

/** Whether something is said under a key. @param {string} key */
export function says(key) {
  return key in spoken.value || key in en;
}
