/**
 * Files that are unpacked or fetched once, in a folder that nobody else can write to, and checked
 * before they are used.
 */
@NullMarked
package io.github.loragraph.cache;

import org.jspecify.annotations.NullMarked;
