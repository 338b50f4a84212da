// Repairs of the theme's markup that an accessibility check (axe-core) asked for: the spoken names agree with the visible
// ones, roles are those that screen readers know, the sidebar is a landmark, and what scrolls does so from the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("summary[aria-label]").forEach((summary) => summary.removeAttribute("aria-label"));
  document.querySelectorAll("summary:has(.toctree-toggle)").forEach((summary) => {
    summary.setAttribute("aria-label", `Pages under ${summary.closest("li").querySelector("a").textContent.trim()}`);
  });
  document.querySelectorAll(".search-button-field[aria-label], .theme-switch-button[aria-label]").forEach((button) => {
    const visible = button.textContent.trim().replace(/\s+/g, " ");
    if (visible) button.setAttribute("aria-label", visible);
  });
  document.querySelectorAll(".citation-list, .citation").forEach((entry) => entry.removeAttribute("role"));
  document.querySelectorAll("table thead th").forEach((corner) => corner.textContent.trim() || corner.replaceWith(document.createElement("td")));
  const sidebar = document.querySelector(".bd-sidebar-primary");
  if (sidebar && !sidebar.hasAttribute("role")) {
    sidebar.setAttribute("role", "complementary");
    sidebar.setAttribute("aria-label", "Book contents");
  }
});
// The text waits for its formulas (class "setting", from book/_ext/reading.py), so that nothing jumps; it does not wait for ever.
const settled = () => document.documentElement.classList.remove("setting");
setTimeout(settled, 5000);
window.addEventListener("load", () => {
  const mend = () => {
    document.querySelectorAll('.bd-article mjx-container:not([display="true"])').forEach((formula) => {
      if (formula.offsetWidth > formula.closest("p, li, td, dd, figcaption, div")?.clientWidth) formula.classList.add("wide");
    });
    document.querySelectorAll(".bd-article pre, .bd-article .cell_output, .bd-article mjx-container, .pst-scrollable-table-container").forEach((box) => {
      if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX === "auto") box.setAttribute("tabindex", "0");
    });
  };
  (window.MathJax?.startup?.promise ?? Promise.resolve()).then(mend).then(settled, settled);
  window.addEventListener("resize", mend);
  document.addEventListener("toggle", mend, true);
  const reveal = () => {  // a link may lead into a solution that is still hidden
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target.getClientRects().length) return;
    target.closest(".dropdown")?.querySelector("button.toggle-button")?.click();
    target.scrollIntoView();
  };
  reveal();
  window.addEventListener("hashchange", reveal);
});
