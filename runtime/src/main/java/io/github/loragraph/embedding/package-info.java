/** A model as exported, run on data: predictions, figures, comparisons of models. */
@NullMarked
package io.github.loragraph.embedding;

import org.jspecify.annotations.NullMarked;
