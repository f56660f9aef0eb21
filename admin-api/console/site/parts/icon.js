import { h } from 'preact';
import { icons } from './icons.js';

/**
 * A sign. Beside words it is not read out.
 * @param {{ name: string, small?: boolean }} props
 */
export function Icon({ name, small }) {
  const shapes = icons[name] ?? icons.file ?? [];
  return h(
    'svg',
    { class: small ? 'i s' : 'i', viewBox: '0 0 20 20', 'aria-hidden': 'true' },
    ...shapes.map(([tag, attributes]) => h(tag, attributes)),
  );
}

/** The mark of Cofre. @param {Record<string, string | number>} props */
export function Mark(props) {
  const shapes = (icons.mark ?? []).map(([tag, attributes]) => h(tag, attributes));
  return h('svg', { class: 'mark', viewBox: '0 0 32 32', 'aria-hidden': 'true', ...props }, ...shapes);
}
