// What keys mean to people: folders and endings.

/** @type {Record<string, string>} */
const ICONS = {};
for (const [icon, endings] of Object.entries({
  image: 'avif bmp gif heic jpeg jpg png psd svg tif tiff webp',
  video: 'avi m4v mkv mov mp4 mpg webm',
  audio: 'aac flac m4a mp3 ogg opus wav',
  text: 'csv doc docx md odt pdf rtf txt xls xlsx',
  code: 'c css go h html java js json py rs sh sql toml ts xml yaml yml',
  zip: '7z bz2 gz rar tar tgz xz zip zst',
})) {
  for (const ending of endings.split(' ')) ICONS[ending] = icon;
}

/** @param {string} key */
export function iconOf(key) {
  const ending = /\.([a-z0-9]+)$/i.exec(key)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(ICONS, ending) ? /** @type {string} */ (ICONS[ending]) : 'file';
}

/** The last segment of a key; of a folder, its own name. @param {string} key */
export function lastSegment(key) {
  const end = key.endsWith('/') ? key.length - 1 : key.length;
  return key.slice(key.lastIndexOf('/', end - 1) + 1, end);
}

/** The folders that lead to a prefix, from the outermost. @param {string} prefix */
export function trailOf(prefix) {
  const trail = [];
  for (let end = prefix.indexOf('/'); end !== -1; end = prefix.indexOf('/', end + 1)) trail.push(prefix.slice(0, end + 1));
  return trail;
}
