/**
 * Tasks: what a model is to answer. Each is a class with its label codec, loss, figures, answers
 * and mistakes; {@link io.github.loragraph.task.Tasks} lists them.
 */
package io.github.loragraph.task;
