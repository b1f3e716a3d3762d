/** Rows of a data file become token ids and labels, and those become padded batches. */
package io.github.loragraph.data;
