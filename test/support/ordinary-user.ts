// Root may read and write everything, so what permissions forbid is tried without that privilege.

export const isRoot = process.getuid?.() === 0;

/** Words that run a program as a user like any other: still root's files, but what their modes forbid is forbidden. */
export const asOrdinaryUser: readonly string[] = isRoot
  ? ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--"]
  : [];
