// Applies the saved theme before the first paint. A classic script on purpose: modules run too late.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("buddy.theme");
  } catch {
    // Storage is blocked: follow the system.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
