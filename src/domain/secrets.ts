// Which variables of a job's environment are secrets, by their names, and how they are shown: as being there, without what they are.

/** Stands in the place of what is not shown. */
export const hidden = "***";

const secretName =
  /PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|APIKEY|(^|[_-])(PASS|KEY|KEYS|AUTH|COOKIE|PAT)$|.[_-]PWD$/i;

export const isSecretName = (name: string) => secretName.test(name);

/** The password in an address such as `postgres://user:password@host/`. The scheme has a length, or a long text would take forever. */
const inAddress = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]*:)([^\s/@]+)@/gi;

type Env = Readonly<Record<string, string>>;

/** An environment for showing. */
export const shownEnv = (env: Env): Record<string, string> =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [name, shownValue(name, value)]));

const shownValue = (name: string, value: string) =>
  isSecretName(name) && value !== "" ? hidden : value.replace(inAddress, `$1${hidden}@`);

/** The environment that somebody gives back who was shown another one: what they left hidden is what it was. */
export function unhidden(given: Env, original: Env): Record<string, string> {
  const shown = shownEnv(original);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, shown[name] === value ? original[name]! : value]),
  );
}

/** Anything shorter is likely to be found where it is no secret. */
const shortest = 6;

/**
 * The texts that must not be seen where a job with this environment, and these values besides, prints them, line by line, the longest
 * first.
 */
export function secretTexts(env: Env, values: readonly string[] = []): string[] {
  const texts = Object.entries(env).flatMap(([name, value]) =>
    isSecretName(name) ? value.split(/\r?\n/) : [...value.matchAll(inAddress)].map(([, , secret]) => secret!),
  );
  texts.push(...values.flatMap((value) => value.split(/\r?\n/)));
  return [...new Set(texts)].filter((text) => text.length >= shortest).sort((a, b) => b.length - a.length);
}

/** A text without the secrets of an environment and without passwords in addresses, for whoever is told of it elsewhere. */
export function withoutSecrets(text: string, env: Env): string {
  const plain = text.replace(inAddress, `$1${hidden}@`);
  return secretTexts(env).reduce((rest, secret) => rest.replaceAll(secret, hidden), plain);
}
