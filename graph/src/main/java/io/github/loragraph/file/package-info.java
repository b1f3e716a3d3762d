/**
 * Reading and writing files so that outputs appear whole or not at all, whatever kills the process
 * meanwhile.
 */
@NullMarked
package io.github.loragraph.file;

import org.jspecify.annotations.NullMarked;
