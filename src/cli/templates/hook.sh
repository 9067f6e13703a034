#!/bin/sh
# Judges the migrations that are about to be committed. Written by pgassay init.
exec pgassay check --staged
