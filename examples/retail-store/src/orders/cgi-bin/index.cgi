#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\nThe orders service. Orders placed: %s\n' "$(ls /tmp/orders 2>/dev/null | wc -l)"
