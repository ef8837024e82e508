// What is embedded as text, in the words of TypeScript.

declare module "htmx.org/dist/*.js" {
  const text: string;
  export default text;
}

declare module "./script/*.js" {
  const text: string;
  export default text;
}

declare module "*.svg" {
  const text: string;
  export default text;
}

declare module "*.css" {
  const text: string;
  export default text;
}
