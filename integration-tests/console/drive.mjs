// A browser that is driven, and what every page and state must hold: no error, nothing from elsewhere, nothing that a screen
// reader cannot use, nothing wider than the window. Pictures of it go to a folder where a person can look at them.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

/** Where Node's packages are: `cargo verify` installs them. */
const tools = createRequire(path.join(need('COFRE_VERIFY_CONSOLE'), 'package.json'));
const { default: puppeteer } = await import(tools.resolve('puppeteer-core'));
const AXE = readFileSync(tools.resolve('axe-core/axe.min.js'), 'utf8');

export const BASE = need('COFRE_CONSOLE_URL');
export const S3 = need('AWS_ENDPOINT_URL');
export const KEY = need('AWS_ACCESS_KEY_ID');
export const SECRET = need('AWS_SECRET_ACCESS_KEY');
const HOME = need('HOME');
const SHOTS = need('COFRE_CONSOLE_SHOTS');
mkdirSync(SHOTS, { recursive: true });

/** Longest wait for anything, in milliseconds. */
const WAIT = 30_000;

export const WIDE = { width: 1440, height: 900 };
export const SMALL = { width: 360, height: 780 };

let passed = 0;

/** Counts what holds, and ends the script with what does not. */
export function check(holds, what) {
  if (!holds) throw new Error(`it does not hold: ${typeof what === 'string' ? what : JSON.stringify(what)}`);
  passed += 1;
}

export function same(one, other, what) {
  check(JSON.stringify(one) === JSON.stringify(other), `${what}: ${JSON.stringify(one)} is not ${JSON.stringify(other)}`);
}

/** Files for a test, in the home of the server. */
export const file = (name) => path.join(HOME, name);

/** Where a browser keeps what it keeps. */
export async function open({ profile = 'profile', language = 'en' } = {}) {
  const browser = await puppeteer.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', `--lang=${language}`],
    userDataDir: path.join(HOME, profile),
    protocolTimeout: 180_000,
  });
  return new Driver(browser, await browser.newPage());
}

export class Driver {
  constructor(browser, page) {
    this.browser = browser;
    this.page = page;
    /** What a page must not have: errors, and requests to elsewhere. */
    this.problems = [];
    /** Statuses that a test asks for. */
    this.expected = new Set();
    /** Requests of the pages, as `METHOD path status`. */
    this.requests = [];
    page.setDefaultTimeout(WAIT);
    page.on('console', (message) => {
      const status = /status of (\d+)/.exec(message.text())?.[1];
      if (['error', 'warn'].includes(message.type()) && !this.expected.has(status)) this.problems.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.problems.push(`uncaught: ${error.stack ?? error}`));
    page.on('dialog', (dialog) => {
      if (dialog.type() !== 'beforeunload') this.problems.push(`a dialog: ${dialog.message()}`);
      dialog.accept();
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${BASE}/`) && !/^(data|blob):/.test(url)) this.problems.push(`from elsewhere: ${url}`);
    });
    page.on('response', (response) => {
      const url = new URL(response.url());
      this.requests.push(`${response.request().method()} ${url.pathname} ${response.status()}`);
    });
  }

  async go(href, ready = 'main h1') {
    await this.page.goto(BASE + href, { waitUntil: 'load' });
    await this.page.waitForSelector(ready);
  }

  /** Signs in as someone, in a language. */
  async signIn(key = KEY, secret = SECRET, language = 'en') {
    await this.page.setViewport(WIDE);
    await this.go('/', '#key');
    await this.page.evaluate((language) => localStorage.setItem('language', language), language);
    await this.go('/', '#key');
    await this.page.type('#key', key);
    await this.page.type('#secret', secret);
    await this.page.keyboard.press('Enter');
    await this.page.waitForSelector('.spine');
  }

  /** Waits until something holds in the page. */
  async until(holds, ...args) {
    return this.page.waitForFunction(holds, { polling: 50 }, ...args);
  }

  /** Presses what has this name: a button, a link, an item of a menu. */
  async press(name, within = 'body') {
    const found = await this.page.waitForFunction(
      (name, within) => {
        const named = (one) => (one.getAttribute('aria-label') ?? one.textContent).trim().replace(/\s+/g, ' ');
        const boxes = [...document.querySelectorAll(within)];
        const all = boxes.flatMap((box) => [...box.querySelectorAll('button, a, [role=menuitem], summary')]);
        return all.find((one) => named(one) === name && one.getClientRects().length > 0 && !one.disabled);
      },
      { polling: 50 },
      name,
      within,
    );
    await found.asElement().click();
  }

  /** Types into a field of a dialog, once the dialog has given it the focus. */
  async type(selector, text) {
    await this.page.waitForSelector(`${selector}:focus`);
    await this.page.keyboard.type(text);
  }

  async text(selector) {
    return this.page.$eval(selector, (one) => one.textContent.trim().replace(/\s+/g, ' '));
  }

  async texts(selector) {
    return this.page.$$eval(selector, (all) => all.map((one) => one.textContent.trim().replace(/\s+/g, ' ')));
  }

  /** Names of the rows that are drawn. */
  async rows() {
    return this.texts('table.files tbody th a');
  }

  /** Waits for these rows. */
  async hasRows(...names) {
    const wanted = JSON.stringify(names);
    try {
      await this.until((wanted) => JSON.stringify([...document.querySelectorAll('table.files tbody th a')].map((one) => one.textContent)) === wanted, wanted);
    } catch {
      same(await this.rows(), names, 'the rows');
    }
    passed += 1;
  }

  /** Opens the menu of a row, and presses an item of it. */
  async rowMenu(name, item, actions = 'Actions of') {
    await this.press(`${actions} ${name}`, 'table.files');
    await this.press(item, '[popover]:popover-open');
  }

  async closeDialog() {
    await this.page.keyboard.press('Escape');
    await this.page.waitForFunction(() => !document.querySelector('dialog[open]'));
  }

  /** Calls the door as a page does. */
  async call(method, path, json) {
    return this.page.evaluate(
      async (method, path, json) => {
        const headers = { 'x-cofre': localStorage.getItem('session') ?? '1' };
        if (json !== undefined) headers['content-type'] = 'application/json';
        const response = await fetch(`/console/v1${path}`, { method, headers, body: json === undefined ? undefined : JSON.stringify(json) });
        const text = await response.text();
        return { status: response.status, json: text.startsWith('{') ? JSON.parse(text) : null };
      },
      method,
      path,
      json,
    );
  }

  /** Puts a small object. */
  async put(bucket, key, content, type = 'text/plain') {
    const status = await this.page.evaluate(
      async (bucket, key, content, type) => {
        const headers = { 'x-cofre': localStorage.getItem('session') ?? '1', 'content-type': type };
        return (await fetch(`/console/v1/buckets/${bucket}/object?key=${encodeURIComponent(key)}`, { method: 'PUT', headers, body: content })).status;
      },
      bucket,
      key,
      content,
      type,
    );
    same(status, 201, `putting ${key}`);
  }

  /** SHA-256 of an object, in hexadecimal digits. */
  async digest(bucket, key) {
    return this.page.evaluate(async (url) => {
      const digest = await crypto.subtle.digest('SHA-256', await (await fetch(url)).arrayBuffer());
      return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    }, `/console/v1/buckets/${bucket}/object?key=${encodeURIComponent(key)}`);
  }

  /** Holds a state of a page to what all must hold, in both themes and at both widths, and takes pictures of it. */
  async audit(name) {
    for (const [size, viewport] of [['1440', WIDE], ['360', SMALL]]) {
      await this.page.setViewport(viewport);
      for (const theme of ['light', 'dark']) {
        await this.page.evaluate((theme) => {
          document.documentElement.dataset.theme = theme;
          return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        }, theme);
        await this.page.screenshot({ path: path.join(SHOTS, `${name}-${size}-${theme}.png`) });
        const width = await this.page.evaluate(() => (document.documentElement.scrollWidth > innerWidth ? document.documentElement.scrollWidth : 0));
        same(width, 0, `${name} is wider than ${size}`);
        same(await this.violations(), [], `axe at ${name}, ${size}, ${theme}`);
      }
    }
    await this.page.setViewport(WIDE);
    await this.quiet();
  }

  async violations() {
    if (!(await this.page.evaluate(() => 'axe' in globalThis))) {
      // Past the policy of the page, as a debugger may.
      const session = await this.page.createCDPSession();
      await session.send('Runtime.evaluate', { expression: AXE });
      await session.detach();
    }
    return this.page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.length}: ${nodes[0].html.slice(0, 200)}`);
    });
  }

  /** Nothing went wrong so far. */
  async quiet() {
    same(this.problems, [], 'problems of pages');
  }

  /** What the browser keeps has no key, no secret and no name of an object. */
  async keepsNoSecret(...secrets) {
    const kept = await this.page.evaluate(async () => {
      const names = indexedDB.databases ? (await indexedDB.databases()).map((one) => one.name) : [];
      return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, names, document.cookie, location.href, await caches.keys().catch(() => [])]);
    });
    for (const secret of secrets) check(!kept.includes(secret), `the browser keeps ${secret}`);
  }
}

/** Runs a test to its end, and says how much it looked at. */
export async function run(test) {
  try {
    await test();
    console.log(`${passed} checks passed`);
    process.exit(0);
  } catch (error) {
    console.log(error.stack ?? String(error));
    process.exit(1);
  }
}
