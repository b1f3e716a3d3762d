/**
 * Reading and writing files so that outputs appear whole or not at all, whatever kills the process
 * meanwhile.
 */
package io.github.loragraph.file;
