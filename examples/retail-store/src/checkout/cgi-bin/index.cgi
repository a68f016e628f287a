#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\nThe checkout service totals baskets; tax is %s percent.\n' "$(cat /srv/etc/tax)"
