// Theme and language before the first paint. Nothing else of a session stands in the browser's storage.
(() => {
  const root = document.documentElement;
  let theme = null;
  let language = null;
  try {
    theme = localStorage.getItem('theme');
    language = localStorage.getItem('language');
  } catch {
    // A browser without storage has the defaults.
  }
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const wanted = language ?? navigator.language;
  root.lang = wanted.toLowerCase().startsWith('pt') ? 'pt-BR' : 'en';
})();
