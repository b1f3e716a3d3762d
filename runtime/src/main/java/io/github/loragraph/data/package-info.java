/** Rows of a data file become token ids and labels, and those become padded batches. */
@NullMarked
package io.github.loragraph.data;

import org.jspecify.annotations.NullMarked;
