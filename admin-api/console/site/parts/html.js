import { h } from 'preact';
import htm from 'htm';

/** Templates of the pages. What stands in `${}` is text or a component, never markup. */
export const html = htm.bind(h);
