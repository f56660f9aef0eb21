import { language, t } from '../words/words.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export function number(value, options) {
  return new Intl.NumberFormat(language.value, options).format(value);
}

/** Bytes in the words of the command line, with three digits. @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return '—';
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${number(value, { maximumFractionDigits: digits })} ${UNITS[unit]}`;
}

/** A moment, as near as a person needs it. @param {string | null | undefined} text */
export function when(text) {
  if (!text) return '—';
  const at = new Date(text);
  const now = new Date();
  const minutes = Math.round((now.getTime() - at.getTime()) / 60_000);
  if (minutes >= 0 && minutes < 1) return t('time.now');
  if (minutes >= 0 && minutes < 60) return t('time.minutes', { n: minutes });
  const clock = at.toLocaleTimeString(language.value, { hour: '2-digit', minute: '2-digit' });
  if (at.toDateString() === now.toDateString()) return t('time.today', { clock });
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (at.toDateString() === yesterday.toDateString()) return t('time.yesterday', { clock });
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { day: 'numeric', month: 'short' };
  if (at.getFullYear() !== now.getFullYear()) options.year = 'numeric';
  return at.toLocaleDateString(language.value, options);
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return t('time.seconds', { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t('time.about_minutes', { n: Math.round(seconds / 60) });
  if (seconds < 172_800) return t('time.hours', { n: Math.round(seconds / 3600) });
  return t('time.days', { n: Math.round(seconds / 86_400) });
}

/** A moment in full. @param {string | null | undefined} text */
export function moment(text) {
  return text ? new Date(text).toLocaleString(language.value, { dateStyle: 'medium', timeStyle: 'short' }) : '—';
}
