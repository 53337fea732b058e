// What a form asks of the device's passkeys. The server says what is made or signed; here it is carried to the device and back.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const descriptors = (list) => list.map(({ type, id }) => ({ type, id: bytes(id) }));

const make = async (options) => {
  const { id, response } = await navigator.credentials.create({
    publicKey: {
      ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: descriptors(options.excludeCredentials),
    },
  });
  return { id, clientDataJson: text(response.clientDataJSON), attestationObject: text(response.attestationObject) };
};

const sign = async (options) => {
  const { id, response } = await navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: descriptors(options.allowCredentials) },
  });
  return { id, clientDataJson: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData), signature: text(response.signature) };
};

const post = async (path, body) => {
  const { header, token } = await (await fetch('/api/antiforgery')).json();
  const response = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json', [header]: token }, body: JSON.stringify(body) });
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) {
    throw Object.assign(new Error(), { words: `${answer.title ?? 'The server refused.'} ${answer.detail ?? ''}` });
  }
  return answer;
};

const words = (error, seconds, options) => {
  if (error.words) {
    return error.words;
  }
  switch (error.name) {
    case 'NotAllowedError':
      return options && seconds * 1000 >= options.timeout - 1000
        ? 'It took too long, and nothing was signed. Try again.'
        : 'Cancelled, or this device has no passkey for this. Nothing was signed. Try again, or use another device.';
    case 'AbortError': return 'Cancelled. Nothing was signed.';
    case 'InvalidStateError': return 'This device has such a passkey already. Choose another device.';
    case 'NotSupportedError':
    case 'ConstraintError': return 'This device has no passkeys that check who you are. Set up a screen lock, or use another device.';
    case 'SecurityError': return `Passkeys do not work at the address ${location.origin}. Open this site by its own name.`;
    case 'TypeError': return 'The server cannot be reached. Nothing was signed. Try again.';
    default: return `The device could not do it (${error.name}). Try again, or use another device.`;
  }
};

// A further passkey is one's own only when one that was there before has signed so: the form becomes the question.
const askFurther = (form, question) => {
  const list = Object.assign(document.createElement('ul'), { tabIndex: -1 });
  list.append(...question.words.map((sentence) => Object.assign(document.createElement('li'), { textContent: sentence })));
  form.querySelectorAll('.field, [data-passkey-before]').forEach((part) => part.remove());
  form.prepend(list);
  form.querySelector('button').textContent = 'Sign with your passkey';
  Object.assign(form.dataset, { question: JSON.stringify(question), finish: '/api/consents/sign' });
  list.focus();
};

const run = async (form, error) => {
  const fields = Object.fromEntries(new FormData(form));
  const begun = performance.now();
  let question;
  try {
    question = form.dataset.question ? JSON.parse(form.dataset.question) : await post(form.dataset.prepare, fields);
    const credential = await (question.options.user ? make : sign)(question.options);
    const answer = await post(form.dataset.finish, { attempt: question.attempt, name: fields.name, credential });
    if (answer.attempt) {
      askFurther(form, answer);
      return;
    }
    location.assign(answer.secondFactorReset ? '/account/second-factor' : form.dataset.done);
  } catch (failure) {
    error.textContent = words(failure, (performance.now() - begun) / 1000, question?.options);
  }
};

/** Makes the forms of a page that ask for passkeys work. */
export const attach = (root) => {
  for (const form of root.querySelectorAll('form[data-passkey]')) {
    const [button, error] = [form.querySelector('button'), form.querySelector('[data-passkey-error]')];
    if (!window.PublicKeyCredential) {
      error.textContent = 'This browser has no passkeys, or the address is not a secure one. Use a newer browser, and https.';
      continue;
    }
    button.disabled = false;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      event.stopPropagation();
      button.disabled = true;
      error.textContent = '';
      await run(form, error);
      button.disabled = false;
    });
  }
};
