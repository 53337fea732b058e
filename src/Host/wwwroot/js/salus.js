// What a page does beyond HTML. Every page works without it.
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

const enhance = (root) => {
  for (const time of root.querySelectorAll('time[data-local]')) {
    const at = new Date(time.dateTime);
    time.textContent = (time.dataset.local === 'date' ? day : minute).format(at);
  }
  for (const button of root.querySelectorAll('button[data-copy]')) {
    button.hidden = !navigator.clipboard;
  }
};

document.addEventListener('click', async ({ target }) => {
  const copy = target.closest('button[data-copy]');
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.dataset.copied = '';
    announce('Copied');
    setTimeout(() => delete copy.dataset.copied, 1500);
  } else if (target.closest('button[data-print]')) {
    print();
  }
});

// A form is sent once, however often its button is pressed.
document.addEventListener('submit', (event) => {
  if (event.target.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  event.target.dataset.sent = '';
});
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) {
    delete form.dataset.sent;
  }
});

const announce = (text) => {
  let region = document.getElementById('announcements');
  if (!region) {
    region = Object.assign(document.createElement('div'), { id: 'announcements', className: 'visually-hidden' });
    region.setAttribute('role', 'status');
    document.body.append(region);
  }
  region.textContent = text;
};

// A part that waits for the chain is asked for again until it waits no more.
const refresh = async (part) => {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null);
  const fresh = response?.ok && new DOMParser().parseFromString(await response.text(), 'text/html').getElementById(part.id);
  if (fresh) {
    part.replaceWith(fresh);
    enhance(fresh);
    if (fresh.dataset.refreshSeconds === undefined) {
      announce(fresh.dataset.refreshed ?? 'Updated');
      return;
    }
    part = fresh;
  }
  wait(part);
};
const wait = (part) => setTimeout(() => refresh(part), 1000 * Number(part.dataset.refreshSeconds));

enhance(document);
document.querySelectorAll('[data-refresh-seconds]').forEach(wait);
document.querySelector('[data-focus]')?.focus();
document.querySelector('.nav-more [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
if (document.querySelector('[data-chart]')) {
  import(document.querySelector('meta[name="salus-charts"]').content).then((charts) => charts.drawAll(document));
}
if (document.querySelector('form[data-passkey]')) {
  import(document.querySelector('meta[name="salus-passkeys"]').content).then((passkeys) => passkeys.attach(document));
}
if ('serviceWorker' in navigator) {
  navigator.serviceWorker.register('/service-worker.js');
}
