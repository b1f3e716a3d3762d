/** Training in a container of Amazon SageMaker: what the platform gives, asks for and reads. */
@NullMarked
package io.github.loragraph.sagemaker;

import org.jspecify.annotations.NullMarked;
