/**
 * Tasks: what a model is to answer. Each is a class with its label codec, loss, figures, answers
 * and mistakes; {@link io.github.loragraph.task.Tasks} lists them.
 */
@NullMarked
package io.github.loragraph.task;

import org.jspecify.annotations.NullMarked;
