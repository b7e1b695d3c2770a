// What a browser shows when the page is loaded while the node is down: instead of its own error a
// page that says so and looks again every two seconds. It answers for the page itself and nothing
// else, keeps nothing, and never stands between the console and its node. Why: decision 47.

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark">
<title>NODE DOES NOT ANSWER · deconflict</title></head><body>
<main><h1>THE NODE DOES NOT ANSWER</h1>
<p>No alert can be shown here. Use the voice plan. This page looks again every two seconds and comes back by itself.</p>
<h1 lang="ru">УЗЕЛ НЕ ОТВЕЧАЕТ</h1>
<p lang="ru">Оповещения здесь показать нельзя. Действуйте по плану голосовой связи. Страница проверяет каждые две секунды и вернётся сама.</p>
<h1 lang="ar" dir="rtl">العقدة لا تجيب</h1>
<p lang="ar" dir="rtl">لا يمكن إظهار أي تنبيه هنا. اعمل بخطة الاتصال الصوتي. تنظر هذه الصفحة كل ثانيتين وتعود من تلقاء نفسها.</p></main></body></html>`;

const waiting = () => new Response(PAGE, { status: 503, headers: {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
} });

addEventListener("install", () => skipWaiting());
addEventListener("fetch", (event) => {
  const page = event.request.mode === "navigate" && event.request.method === "GET" && new URL(event.request.url).pathname === "/";
  if (page) event.respondWith(fetch(event.request).catch(waiting));
});
