// What a page says when there is nothing to show, and what to do about it.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

export function Empty({ title, hint, command }: { title: string; hint?: string; command?: string }) {
  return (
    <div class="empty">
      <p class="empty-title" safe>
        {title}
      </p>
      {hint === undefined ? "" : <p safe>{hint}</p>}
      {command === undefined ? (
        ""
      ) : (
        <p>
          <code safe>{command}</code>
        </p>
      )}
    </div>
  );
}
