/**
 * Many trainings: each is a process of its own, as many at once as the machine has room for, and
 * what is done is known by what lies on the disk.
 */
@NullMarked
package io.github.loragraph.experiment;

import org.jspecify.annotations.NullMarked;
