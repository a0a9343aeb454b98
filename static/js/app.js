// Everything a page does beyond HTML; each part leaves the page usable when it is missing.
import { startLive } from "./live.js";
import { closeMenus, startTheme, toTheEnd } from "./look.js";

startTheme();
closeMenus();
toTheEnd();
startLive();
