// Everything a page does beyond HTML; each part leaves the page usable when it is missing.
import { startLive } from "./live.js";
import { startTheme, toTheEnd } from "./look.js";

startTheme();
toTheEnd();
startLive();
