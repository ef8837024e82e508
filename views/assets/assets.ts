// Where a page finds its stylesheet, its script and its icon, and which ones these are.

export interface Assets {
  readonly style: string;
  readonly script: string;
  readonly icon: string;
  /** Another one for another style or script. */
  readonly build: string;
}
