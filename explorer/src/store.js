/** State that several parts of the page read, and that tells them when it changes. */

/**
 * Create a store.
 * @template {Record<string, any>} State
 * @param {State} state
 */
export function createStore(state) {
  const listeners = [];
  return {
    state,
    /**
     * Change some keys; listeners of those that differ are called once.
     * @param {Partial<State>} patch
     */
    set(patch) {
      const changed = Object.keys(patch).filter((key) => state[key] !== patch[key]);
      if (!changed.length) return;
      Object.assign(state, patch);
      for (const { keys, listener } of listeners) if (keys.some((key) => changed.includes(key))) listener(state);
    },
    /**
     * Call a listener whenever one of these keys changes.
     * @param {string[]} keys
     * @param {(state: State) => void} listener
     */
    on(keys, listener) {
      listeners.push({ keys, listener });
    },
  };
}
