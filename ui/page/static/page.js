// The staff page's own script.
document.body.dataset.ready = "1";
