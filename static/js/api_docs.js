// Starts the interactive API documents. A file of its own: the content policy allows no inline script.
"use strict";

(() => {
  const place = document.getElementById("api-docs");

  function cookie(name) {
    const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }

  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.schema,
    deepLinking: true,
    filter: true,
    docExpansion: "none",
    persistAuthorization: false,
    requestInterceptor(request) {
      if (!["GET", "HEAD", "OPTIONS"].includes(request.method ?? "GET")) {
        request.headers["X-CSRFToken"] = cookie("csrftoken");
      }
      return request;
    },
  });
})();
