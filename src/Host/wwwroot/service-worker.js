// Keeps the shell's static files and an offline page. Pages, records and answers of the API are never kept.
const cacheName = 'salus-shell-2';
const offlinePage = '/offline.html';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.add(offlinePage)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) {
    return;
  }
  if (event.request.mode === 'navigate') {
    event.respondWith(fetch(event.request).catch(() => caches.match(offlinePage)));
  } else if (/^\/(css|js|lib|icons)\//.test(url.pathname) && url.searchParams.has('v')) {
    event.respondWith(kept(event.request));
  }
});

// An address with a version never changes its content; older versions of the same file go when a newer one comes.
const kept = async (request) => {
  const cache = await caches.open(cacheName);
  const found = await cache.match(request);
  if (found) {
    return found;
  }
  const response = await fetch(request);
  if (response.ok) {
    const path = new URL(request.url).pathname;
    const old = (await cache.keys()).filter((other) => new URL(other.url).pathname === path);
    await Promise.all(old.map((other) => cache.delete(other)));
    await cache.put(request, response.clone());
  }
  return response;
};
