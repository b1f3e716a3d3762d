/** A model as exported, run on data: predictions, figures, comparisons of models. */
package io.github.loragraph.evaluation;
